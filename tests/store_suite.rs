//! Every promise of `store::Store`, run over every store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Test helpers outside of test functions.

mod store;

use std::sync::Arc;

use sales_channels::store::{MemoryStore, Store};

use store::{Subject, durable_suite, store_suite};

struct Memory;

#[async_trait::async_trait]
impl Subject for Memory {
    async fn empty() -> Option<(Self, Arc<dyn Store>)> {
        Some((Self, Arc::new(MemoryStore::new())))
    }
}

mod memory {
    use super::*;
    store_suite!(Memory);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use crate::store::sqlite::File;
    store_suite!(File);
    durable_suite!(File);
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use crate::store::postgres::Database;
    store_suite!(Database);
    durable_suite!(Database);
}
