//! Dummy, from its id to an order of its face.
#![cfg(feature = "dummy")]
#![allow(clippy::unwrap_used)]

use sales_channels::adapters::{Opening, find};
use sales_channels::channel::{Context, Credentials, OrderQuery};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, Hub};
use sales_channels::model::Window;
use sales_channels::store::MemoryStore;
use sales_channels_sandbox::faces::dummy::{Dummy, TOKEN};
use sales_channels_sandbox::{OrderDraft, Sandbox};

#[tokio::test]
async fn an_account_found_by_its_id_links_an_order() {
    let sandbox = Sandbox::builder().face(Dummy).start().await.unwrap();
    let placed = sandbox.market().buyer().place(OrderDraft::example()).unwrap();
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let opening = Opening::new(&client, "shop", Credentials::new().with("token", TOKEN)).at(sandbox
        .base_url("dummy")
        .unwrap()
        .parse()
        .unwrap());
    let channel = (find("dummy").unwrap().open)(&opening).unwrap();

    let now = chrono::Utc::now();
    let day = chrono::TimeDelta::days(1);
    let query = OrderQuery::window(Window::new(now - day, now + day));
    let page = channel.orders().fetch(&Context::new(), &query, None).await.unwrap();
    assert_eq!(page.rows[0].order().unwrap().id.as_str(), placed.to_string());

    let hub = Hub::new(std::sync::Arc::new(MemoryStore::new()));
    hub.connect(Account::new("shop", channel)).unwrap();
    assert_eq!(hub.cycle(&"shop".into()).await.unwrap().tally.linked, 1);
}
