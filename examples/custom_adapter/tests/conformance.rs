//! The adapter passes the suite.

mod mall;

sales_channels::conformance!(mall::Mall::open(), at_least = 69);
