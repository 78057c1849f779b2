//! Qoo10.
use std::sync::Arc;
use super::{Adapter, Opening};
use crate::channel::Channel;
use crate::error::{Error, Result};

/// Placeholder until the adapter lands.
pub const ADAPTER: Adapter = Adapter::new("qoo10", "qoo10", &[], open);

fn open(_: &Opening) -> Result<Arc<dyn Channel>> {
    Err(Error::unsupported("not built yet"))
}
