//! The adapter's own option, from the merchant's setting to what the mall is asked and what becomes of an order.
#![allow(clippy::unwrap_used)]

mod mall;

use std::sync::Arc;

use mall::Mall;
use sales_channels::conformance::{Connection, Harness, LineWish, OrderWish, PersonWish};
use sales_channels::fulfillment::MemoryCentre;
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, Hub};
use sales_channels::model::ManualClock;
use sales_channels::options::OptionSet;
use sales_channels::store::MemoryStore;

/// What was instructed of a gift and of another order in a cycle, and the queries that the mall saw.
async fn cycle(hold: Option<serde_json::Value>) -> (usize, Vec<String>) {
    let mall = Mall::open().await;
    let mut hanako = PersonWish::default();
    (hanako.name, hanako.street) = ("山田 花子".to_owned(), "千代田1-1".to_owned());
    let wish = |message| {
        OrderWish::paid(vec![LineWish::of("MUG", 1, 1200.into())], hanako.clone(), message, mall.now())
    };
    mall.place(wish("a gift for Hanako")).await.unwrap();
    mall.place(wish("")).await.unwrap();

    let clock = Arc::new(ManualClock::at(mall.now() + chrono::TimeDelta::minutes(1)));
    let client = HttpClient::new(HttpSettings::default()).unwrap().with_clock(clock.clone());
    let channel = mall.connect(&client, Connection::good()).await.unwrap();
    let centre = Arc::new(MemoryCentre::new());
    centre.set_on_hand("MUG", 10);
    let mut options = OptionSet { fulfilment_instruction: Some(true), ..OptionSet::default() };
    options.channel.extend(hold.map(|chosen| ("hold_gifts".to_owned(), chosen)));
    let hub = Hub::builder(Arc::new(MemoryStore::new())).clock(clock).build();
    hub.connect(Account::new("shop", channel).with_options(options).with_centre(centre.clone())).unwrap();
    assert_eq!(hub.cycle(&"shop".into()).await.unwrap().tally.linked, 2);
    (centre.instructed(), mall.asked())
}

fn all_say(queries: &[String], what: &str) -> bool {
    !queries.is_empty() && queries.iter().all(|query| query.split('&').any(|part| part == what))
}

#[tokio::test]
async fn held_gifts_are_not_instructed_and_the_mall_is_told_so_each_time() {
    let (instructed, queries) = cycle(Some(true.into())).await;
    assert_eq!(instructed, 1, "the gift waits");
    assert!(all_say(&queries, "gifts=hold"), "{queries:?}");
}

#[tokio::test]
async fn gifts_go_out_where_the_merchant_did_not_choose_to_hold_them() {
    for chosen in [None, Some(false.into())] {
        let (instructed, queries) = cycle(chosen).await;
        assert_eq!(instructed, 2);
        assert!(all_say(&queries, "gifts=send"), "{queries:?}");
    }
}

#[tokio::test]
async fn a_choice_of_another_type_is_refused() {
    let mall = Mall::open().await;
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let channel = mall.connect(&client, Connection::good()).await.unwrap();
    let mut options = OptionSet::default();
    options.channel.insert("hold_gifts".to_owned(), "yes".into());
    let hub = Hub::new(Arc::new(MemoryStore::new()));
    let error = hub.connect(Account::new("shop", channel).with_options(options)).unwrap_err();
    assert!(error.to_string().contains("hold_gifts"), "{error}");
}
