//! The suite on this adapter. Write the four functions over a server of your own (examples/custom_adapter/tests/mall shows
//! one), then take the comment off the last line.
#![allow(dead_code)] // Until then.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sales_channels::channel::{Channel, Credentials};
use sales_channels::conformance::{Arranged, Connection, Harness, Login, NotArranged, OrderWish};
use sales_channels::http::HttpClient;
use sales_channels::model::OrderId;
use sales_channels_adapter_template::{MyShop, TOKEN};

struct Server {
    base: String,
}

#[async_trait]
impl Harness for Server {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        let token = match with.login {
            Login::Good => "good-token",
            Login::Wrong => "wrong-token",
            Login::Expired => return Err(NotArranged::because("tokens of MyShop don't end")),
        };
        let credentials = Credentials::new().with(TOKEN, token);
        Ok(Arc::new(MyShop::new(client, "shop", &credentials, self.base.parse()?)?))
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn changes(&self) -> u64 {
        0
    }

    fn secrets(&self) -> Vec<String> {
        vec!["good-token".to_owned(), "wrong-token".to_owned()]
    }

    async fn place(&self, _wish: OrderWish) -> Arranged<Vec<OrderId>> {
        Err(NotArranged::because("write me"))
    }
}

// sales_channels::conformance!(async { Server { base: "http://127.0.0.1:8080".to_owned() } }, at_least = 30);
