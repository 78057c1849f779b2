//! Local servers that speak the APIs of sales channels, over one marketplace in memory.
