//! What the hub does to orders and stock: rules OC, FI, SS, AM, DT, SD, NB, RC, HM, CT as a merchant would see them.
#![allow(clippy::unwrap_used)]

mod model;

use chrono::TimeDelta;
use model::{Numbering, Sold, World, at, ids};
use rust_decimal::Decimal;
use sales_channels::channel::{HandOver, Notify, OptionCode, Tracking};
use sales_channels::hub::Hub;
use sales_channels::model::{
    CancelState, Component, DateRange, Done, Fulfilment, Hold, Listing, ListingKey, ListingState, Money,
    OrderId, OrderRecord, OrderStatus, PlannedDispatch, Sku, Step,
};
use sales_channels::options::{
    AccountMode, Confirmation, DeliveryTracking, OptionSet, Reconcile, StockShare,
};
use sales_channels::policy::Rule;
use sales_channels::store::{HealthLevel, IssueKey};
use sales_channels::{Error, ErrorKind};

const PAID: &str = "2026-11-24T09:00";

fn morning() -> World {
    World::new("2026-11-24T10:00")
}

/// A world whose centre stocks TEE, with automatic instruction.
fn with_fulfilment() -> World {
    let mut world = morning();
    world.options.fulfilment_instruction = Some(true);
    world.centre.set_on_hand("TEE", 100);
    world
}

fn with_stock(share_percent: i64, reserve: i64) -> World {
    let mut world = morning();
    world.options.stock_sync = Some(StockShare { share_percent, reserve });
    world.centre.set_on_hand("TEE", 100);
    world
}

async fn cycle(world: &World) -> sales_channels::hub::CycleReport {
    let report = world.hub().cycle(&world.account).await.unwrap();
    assert!(report.tally.adds_up(), "OS-13: {report}");
    report
}

async fn record(world: &World, id: &OrderId) -> OrderRecord {
    world.hub().order(&world.account, id).await.unwrap().unwrap()
}

fn shown(world: &World, sku: &str) -> Option<u32> {
    world.market.inside().shown.get(&ListingKey::item(format!("item-{sku}"))).copied()
}

fn parcel(key: &str) -> PlannedDispatch {
    PlannedDispatch::whole(key, Some(Tracking::new("Yamato", format!("4000-{key}"))), at("2026-11-24T12:00"))
}

// ---- OC

#[tokio::test]
async fn oc_1_confirmed_in_the_cycle_that_links_and_tried_again_while_pending() {
    let world = morning();
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    world.market.fail("confirm", Error::new(ErrorKind::Unavailable), false);
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).confirmations, 0);
    assert!(matches!(record(&world, &id).await.confirm, Step::Planned { .. }));
    world.set("2026-11-24T11:00");
    let report = cycle(&world).await;
    assert_eq!((report.tally.confirmed, world.market.sold(&id).confirmations), (1, 1));
    assert_eq!(report.health, HealthLevel::Ok, "cured");
}

#[tokio::test]
async fn oc_2_manual_waits_for_the_application() {
    let mut world = morning();
    world.options.confirmation = Some(Confirmation::Manual);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    assert_eq!(world.market.calls("confirm"), 0);
    let why = world.hub().explain_order(&world.account, &id).await.unwrap();
    assert_eq!(why.rule, Rule::Oc2);
    let acted = world.hub().confirm(&world.account, &ids(&["A", "unknown"])).await.unwrap();
    assert!(acted.iter().any(|a| a.order == id && a.result.is_ok()));
    let unknown = acted.iter().find(|a| a.order.as_str() == "unknown").unwrap();
    assert_eq!(unknown.result.as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.market.sold(&id).confirmations, 1);
    let again = world.hub().confirm(&world.account, &ids(&["A"])).await.unwrap();
    assert!(again[0].result.is_err(), "said, not done twice");
    assert_eq!(world.market.sold(&id).confirmations, 1);
}

#[tokio::test]
async fn oc_3_without_confirmation_a_linked_order_counts_as_confirmed() {
    let mut world = with_fulfilment();
    world.market.switch(|s| {
        s.confirm = false;
        s.ship_date = None;
    });
    world.options.fulfilment_instruction = Some(true);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    let report = cycle(&world).await;
    assert!(matches!(record(&world, &id).await.confirm, Step::Done { how: Done::NotNeeded, .. }));
    assert_eq!(report.tally.instructed, 1);
    let refused = world.hub().confirm(&world.account, &[id]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn oc_4_deleting_makes_no_call_and_ends_what_was_intended() {
    let world = morning();
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    world.market.fail("confirm", Error::new(ErrorKind::Unavailable), false);
    cycle(&world).await;
    let calls: u32 = world.market.inside().calls.values().sum();
    world.hub().delete(&world.account, std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(world.market.inside().calls.values().sum::<u32>(), calls);
    world.set("2026-11-24T15:00");
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).confirmations, 0);
}

#[tokio::test]
async fn oc_5_confirmed_in_the_back_office_is_marked_without_a_call() {
    let world = morning();
    let early = world.market.sell_with("A", "TEE", 1, at(PAID), |s| s.order.status = OrderStatus::Confirmed);
    let mut manual = OptionSet { confirmation: Some(Confirmation::Manual), ..OptionSet::default() };
    let later = world.market.sell("B", "TEE", 1, at(PAID));
    let hub = world.hub();
    hub.set_options(&world.account, &manual).unwrap();
    hub.cycle(&world.account).await.unwrap();
    world.set("2026-11-24T15:00");
    world.market.edit(&later, |order| order.status = OrderStatus::Confirmed);
    manual.confirmation = None;
    hub.set_options(&world.account, &manual).unwrap();
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(world.market.calls("confirm"), 0);
    for id in [early, later] {
        assert!(matches!(record(&world, &id).await.confirm, Step::Done { how: Done::SeenOnChannel, .. }));
    }
}

#[tokio::test]
async fn oc_6_a_cancel_request_stops_the_confirmation_until_it_is_taken_back() {
    let world = morning();
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    world.market.fail("confirm", Error::new(ErrorKind::Unavailable), false);
    cycle(&world).await;
    world.market.edit(&id, |order| order.cancel = CancelState::Requested);
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).confirmations, 0);
    assert_eq!(world.hub().explain_order(&world.account, &id).await.unwrap().rule, Rule::Oc6);
    world.market.edit(&id, |order| order.cancel = CancelState::None);
    world.set("2026-11-24T12:00");
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).confirmations, 1);
}

#[tokio::test]
async fn oc_7_one_refused_order_never_blocks_the_others() {
    let world = morning();
    world.market.switch(|s| s.batch = 3);
    for n in 0..8 {
        world.market.sell_with(&format!("{n}"), "TEE", 1, at(PAID), |s| {
            s.refuses = (n == 1).then(|| ("-10013".to_owned(), false));
        });
    }
    let report = cycle(&world).await;
    assert_eq!((report.tally.confirmed, report.tally.refused), (7, 1));
    let kept = record(&world, &"1".into()).await.confirm;
    assert!(matches!(kept, Step::Refused { ref code, .. } if code == "-10013"), "{kept:?}");
    let why = world.hub().explain_order(&world.account, &"1".into()).await.unwrap();
    assert!(why.text.contains("-10013"), "{why}");
    assert_eq!(world.market.calls("confirm"), 3, "in the channel's batch size");
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    assert_eq!(world.market.calls("confirm"), 3, "a final no is not asked again");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_and_nothing_is_done_twice() {
    for effect in [true, false] {
        let mut world = morning();
        world.options.ship_offset = Some(1);
        let id = world.market.sell("A", "TEE", 1, at(PAID));
        world.market.fail("confirm", Error::new(ErrorKind::TimedOut).with_unknown_effect(), effect);
        let report = cycle(&world).await;
        assert_eq!(report.tally.unknown, 1);
        assert!(record(&world, &id).await.confirm.is_unknown());
        world.set("2026-11-24T15:00");
        cycle(&world).await;
        let sold = world.market.sold(&id);
        assert_eq!((sold.confirmations, sold.ship_dates.len()), (1, 1), "effect made: {effect}");
        let known = record(&world, &id).await;
        assert!(matches!(known.confirm, Step::Done { how: Done::Here, .. }));
        assert_eq!(known.ship_date, Some(sold.ship_dates[0]));
    }
}

// ---- FI

#[tokio::test]
async fn fi_1_and_fi_2_instructed_in_the_cycle_in_which_it_is_confirmed_however_that_came() {
    // Automatically.
    let world = with_fulfilment();
    world.market.sell("A", "TEE", 2, at(PAID));
    assert_eq!(cycle(&world).await.tally.instructed, 1);

    // By hand: in the next cycle after the application confirmed.
    let mut world = with_fulfilment();
    world.options.confirmation = Some(Confirmation::Manual);
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    assert_eq!(cycle(&world).await.tally.instructed, 0);
    world.hub().confirm(&world.account, std::slice::from_ref(&id)).await.unwrap();
    world.set("2026-11-24T11:00");
    assert_eq!(cycle(&world).await.tally.instructed, 1);

    // Seen on the channel.
    let mut world = with_fulfilment();
    world.options.confirmation = Some(Confirmation::Manual);
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    cycle(&world).await;
    world.market.edit(&id, |order| order.status = OrderStatus::Confirmed);
    world.set("2026-11-24T11:00");
    assert_eq!(cycle(&world).await.tally.instructed, 1);
}

#[tokio::test]
async fn fi_3_off_waits_for_the_application() {
    let mut world = with_fulfilment();
    world.options.fulfilment_instruction = None;
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    cycle(&world).await;
    assert_eq!(world.centre.instructed(), 0);
    assert_eq!(world.hub().explain_order(&world.account, &id).await.unwrap().rule, Rule::Fi3);
    let acted = world.hub().instruct(&world.account, std::slice::from_ref(&id)).await.unwrap();
    acted[0].result.as_ref().unwrap();
    assert_eq!(world.centre.instructed(), 1);
}

#[tokio::test]
async fn fi_4_an_order_is_instructed_once() {
    let world = with_fulfilment();
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    for hour in 10..14 {
        world.set(&format!("2026-11-24T{hour}:00"));
        cycle(&world).await;
    }
    let again = world.hub().instruct(&world.account, &[id]).await.unwrap();
    assert!(again[0].result.is_err());
    assert_eq!(world.centre.received().values().copied().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn fi_5_an_order_with_a_line_that_the_centre_does_not_stock_stays_ordinary_with_the_reason() {
    let world = with_fulfilment();
    let id = world.market.sell("A", "OTHER", 1, at(PAID));
    cycle(&world).await;
    assert_eq!(world.centre.instructed(), 0);
    let kept = record(&world, &id).await.fulfilment;
    assert!(matches!(kept, Fulfilment::Ordinary { ref reason } if reason.contains("OTHER")), "{kept:?}");
    // Once the centre stocks it, it becomes the centre's.
    world.centre.set_on_hand("OTHER", 5);
    world.set("2026-11-24T11:00");
    assert_eq!(cycle(&world).await.tally.instructed, 1);
}

#[tokio::test]
async fn fi_6_the_centres_parcel_goes_to_the_channel_with_the_accounts_options() {
    let mut world = with_fulfilment();
    world.market.switch(|s| {
        s.notify = true;
        s.hand_over = &[HandOver::PickUp, HandOver::DropOff];
    });
    world.options.notify_buyer = Some(true);
    world.options.hand_over = Some(HandOver::DropOff);
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    cycle(&world).await;
    assert_eq!(world.centre.ship_all("Yamato", at("2026-11-24T10:30")), 1);
    world.set("2026-11-24T11:00");
    let report = cycle(&world).await;
    assert_eq!((report.tally.shipments, report.tally.dispatched), (1, 1));
    let sent = world.market.sold(&id).dispatches;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].1, sent[0].2), (Some(Notify::Buyer), Some(HandOver::DropOff)), "NB-1, HM-3");
    world.set("2026-11-24T12:00");
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).dispatches.len(), 1);
}

/// An order that the centre shipped without a number, on a channel whose own logistics numbers parcels.
async fn unnumbered(numbering: Numbering) -> (World, OrderId) {
    let world = with_fulfilment();
    world.market.switch(|s| s.numbering = numbering);
    let id = world.market.sell("A", "TEE", 2, at(PAID));
    cycle(&world).await;
    assert_eq!(world.centre.ship_all_unnumbered(at("2026-11-24T10:30")), 1);
    world.set("2026-11-24T11:00");
    assert_eq!(cycle(&world).await.tally.dispatched, 1);
    (world, id)
}

#[tokio::test]
async fn fi_6_a_number_that_the_channel_gives_goes_back_to_the_centre_in_the_same_cycle_and_once() {
    let (world, id) = unnumbered(Numbering::AtOnce).await;
    let given: Vec<String> = world.centre.given().into_values().map(|tracking| tracking.number).collect();
    assert_eq!(given, [format!("M-{id}")]);
    assert!(record(&world, &id).await.dispatches[0].tell.is_done());
    world.set("2026-11-24T12:00");
    assert_eq!(cycle(&world).await.tally.told, 0);
}

#[tokio::test]
async fn fi_6_a_number_that_comes_later_is_read_from_the_order_and_goes_back_to_the_centre() {
    let (world, id) = unnumbered(Numbering::Later).await;
    assert!(world.centre.given().is_empty());
    assert!(world.hub().explain_order(&world.account, &id).await.unwrap().text.contains("number yet"));
    world.market.edit(&id, |order| order.tracking.push(Tracking::new("Model Express", "M-LATE")));
    world.set("2026-11-24T12:00");
    assert_eq!(cycle(&world).await.tally.told, 1);
    let given: Vec<String> = world.centre.given().into_values().map(|tracking| tracking.number).collect();
    assert_eq!(given, ["M-LATE"]);
}

#[tokio::test]
async fn fi_6_a_number_of_which_nobody_knows_the_parcel_is_not_guessed() {
    let (world, id) = unnumbered(Numbering::Later).await;
    world.market.edit(&id, |order| {
        order.tracking.push(Tracking::new("Model Express", "M-1"));
        order.tracking.push(Tracking::new("Model Express", "M-2"));
    });
    world.set("2026-11-24T12:00");
    assert_eq!(cycle(&world).await.tally.told, 0);
    assert!(world.centre.given().is_empty());
    assert_eq!(record(&world, &id).await.dispatches[0].parcel.tracking, None);
    world.set("2026-12-25T12:00");
    cycle(&world).await;
    assert!(record(&world, &id).await.dispatches[0].tell.is_none(), "it is waited for 30 days");
}

#[tokio::test]
async fn fi_7_a_held_order_is_instructed_in_the_first_cycle_after_the_hold() {
    let world = with_fulfilment();
    let id = world.market.sell_with("A", "TEE", 1, at(PAID), |s| {
        s.order.holds = vec![Hold::PaymentInProcess];
    });
    cycle(&world).await;
    assert_eq!(world.centre.instructed(), 0);
    assert_eq!(world.hub().explain_order(&world.account, &id).await.unwrap().rule, Rule::Fi7);
    world.market.edit(&id, |order| order.holds.clear());
    world.set("2026-11-24T11:00");
    assert_eq!(cycle(&world).await.tally.instructed, 1);
}

#[tokio::test]
async fn fi_7_an_order_without_an_address_waits_for_it() {
    let world = with_fulfilment();
    let id = world.market.sell_with("A", "TEE", 1, at(PAID), |s| s.order.destinations.clear());
    cycle(&world).await;
    assert_eq!(world.centre.instructed(), 0);
    let full = world.market.sell("B", "TEE", 1, at(PAID));
    let destinations = world.market.sold(&full).order.destinations;
    world.market.edit(&id, |order| order.destinations = destinations);
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    assert!(record(&world, &id).await.instruct.is_done());
}

// ---- SS

#[tokio::test]
async fn ss_1_the_share_of_what_is_left_after_open_orders_and_the_reserve() {
    let world = with_stock(50, 10);
    world.market.sell("A", "TEE", 4, at(PAID));
    cycle(&world).await;
    assert_eq!(shown(&world, "TEE"), Some((100 - 4 - 10) / 2));
}

#[tokio::test]
async fn ss_1_orders_whose_sku_is_known_only_by_the_listings_link_hold_stock() {
    let world = with_stock(100, 0);
    let id = world.market.sell_with("A", "TEE", 4, at(PAID), |s| s.order.lines[0].sku = None);
    let key = world.market.sold(&id).order.lines[0].listing.clone();
    let listing = Listing::new(key, ListingState::OnSale);
    let hub = world.hub();
    hub.link_listing(&world.account, &listing, vec![Component { sku: "TEE".into(), quantity: 1 }])
        .await
        .unwrap();
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(shown(&world, "TEE"), Some(96));
}

#[tokio::test]
async fn ss_1_a_cancelled_order_holds_nothing_and_an_instructed_one_until_it_left() {
    let mut world = with_stock(100, 0);
    world.options.fulfilment_instruction = Some(true);
    world.market.sell("A", "TEE", 4, at(PAID));
    let cancelled = world.market.sell("B", "OTHER", 7, at(PAID));
    cycle(&world).await;
    assert_eq!(shown(&world, "TEE"), Some(96));
    world.centre.ship_all("Yamato", at("2026-11-24T10:30"));
    world.market.edit(&cancelled, |order| order.status = OrderStatus::Cancelled);
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    assert_eq!(shown(&world, "TEE"), Some(96), "the pieces left: on hand is 96, and nothing holds any more");
    let held = world.store.held(&[Sku::from("TEE"), Sku::from("OTHER")]).await.unwrap();
    assert_eq!(held.values().sum::<u64>(), 0);
}

#[tokio::test]
async fn ss_2_a_listing_is_pushed_only_after_it_was_linked() {
    let world = with_stock(100, 0);
    cycle(&world).await;
    assert_eq!(world.market.calls("set_stock"), 0);
    let key = ListingKey::item("item-TEE");
    let why = world.hub().explain_listing(&world.account, &key).await.unwrap();
    assert_eq!(why.rule, Rule::Ss2);
    world.market.sell("A", "TEE", 1, at("2026-11-24T10:30"));
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    assert_eq!(shown(&world, "TEE"), Some(99), "linked by the order");
}

#[tokio::test]
async fn ss_3_only_a_quantity_that_differs_is_pushed() {
    let world = with_stock(100, 0);
    world.market.sell("A", "TEE", 1, at(PAID));
    for hour in 10..14 {
        world.set(&format!("2026-11-24T{hour}:00"));
        cycle(&world).await;
    }
    assert_eq!(world.market.inside().pushes.len(), 1);
    // The channel did not take it: it is pushed again.
    world.centre.set_on_hand("TEE", 50);
    world.market.fail("set_stock", Error::new(ErrorKind::Unavailable), false);
    world.set("2026-11-24T15:00");
    let report = cycle(&world).await;
    assert_eq!((report.tally.stock_failed, report.health), (1, HealthLevel::Degraded));
    world.set("2026-11-24T16:00");
    let report = cycle(&world).await;
    assert_eq!((shown(&world, "TEE"), report.health), (Some(49), HealthLevel::Ok));
}

#[tokio::test]
async fn ss_4_the_application_can_ask_for_a_push() {
    let world = with_stock(100, 0);
    world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    world.centre.set_on_hand("TEE", 11);
    assert_eq!(shown(&world, "TEE"), Some(99), "not real time");
    let report = world.hub().push_stock(&world.account).await.unwrap();
    assert_eq!((report.tally.stock_pushed, shown(&world, "TEE")), (1, Some(10)));
}

#[tokio::test]
async fn ss_5_replenishment_and_shipments_both_count() {
    let world = with_stock(100, 0);
    world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    for (hour, on_hand) in [(11, 200), (12, 30)] {
        world.centre.set_on_hand("TEE", on_hand);
        world.set(&format!("2026-11-24T{hour}:00"));
        cycle(&world).await;
        assert_eq!(shown(&world, "TEE"), Some(on_hand - 1));
    }
}

#[tokio::test]
async fn ss_6_each_account_shows_its_own_share_and_all_orders_count() {
    let one = with_stock(50, 0);
    let mut two = World::on(std::sync::Arc::clone(&one.store), "2026-11-24T10:00");
    two.account = "second".into();
    two.centre = std::sync::Arc::clone(&one.centre);
    two.options.stock_sync = Some(StockShare { share_percent: 30, reserve: 0 });
    one.market.sell("A", "TEE", 10, at(PAID));
    two.market.sell("B", "TEE", 10, at(PAID));
    let hub = one.hub();
    hub.connect(two.account()).unwrap();
    for id in [&one.account, &two.account, &one.account] {
        hub.cycle(id).await.unwrap();
    }
    assert_eq!((shown(&one, "TEE"), shown(&two, "TEE")), (Some(40), Some(24)));
}

#[tokio::test]
async fn ss_7_off_pushes_nothing() {
    let mut world = with_stock(50, 0);
    world.options.stock_sync = None;
    world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    assert_eq!(world.market.calls("set_stock"), 0);
    let refused = world.hub().push_stock(&world.account).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn ss_9_falling_quantities_go_first_and_the_rest_waits() {
    let world = with_stock(100, 0);
    world.market.switch(|s| s.batch = 1);
    for sku in ["UP", "DOWN", "TEE"] {
        world.centre.set_on_hand(sku, 50);
        world.market.sell(&format!("order-{sku}"), sku, 1, at(PAID));
    }
    cycle(&world).await;
    world.market.inside().pushes.clear();
    world.centre.set_on_hand("UP", 90);
    world.centre.set_on_hand("DOWN", 5);
    world.centre.set_on_hand("TEE", 20);
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    let pushed: Vec<String> = world.market.inside().pushes.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(pushed, ["item-DOWN", "item-TEE", "item-UP"], "the largest fall first");
}

#[tokio::test]
async fn ss_10_bundles_show_what_their_parts_allow_and_sum_their_needs() {
    let world = with_stock(100, 0);
    world.centre.set_on_hand("CAP", 9);
    let bundle = Listing::new(ListingKey::item("item-SET"), ListingState::OnSale);
    let hub = world.hub();
    let parts =
        vec![Component { sku: "TEE".into(), quantity: 1 }, Component { sku: "CAP".into(), quantity: 2 }];
    hub.link_listing(&world.account, &bundle, parts).await.unwrap();
    world.market.sell_with("A", "SET", 2, at(PAID), |s: &mut Sold| s.order.lines[0].sku = None);
    world.market.sell("B", "CAP", 1, at(PAID));
    hub.cycle(&world.account).await.unwrap();
    // 9 caps: two sets hold 4, one order holds 1; 4 are left, so 2 sets.
    assert_eq!((shown(&world, "SET"), shown(&world, "CAP")), (Some(2), Some(4)));
    let twice =
        vec![Component { sku: "TEE".into(), quantity: 1 }, Component { sku: "TEE".into(), quantity: 1 }];
    assert_eq!(
        hub.link_listing(&world.account, &bundle, twice).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test]
async fn ss_11_differences_are_reported_once_a_day_and_repaired_if_the_merchant_says_so() {
    for repair in [false, true] {
        let mut world = with_stock(100, 0);
        world.options.reconcile = Some(if repair { Reconcile::Repair } else { Reconcile::Report });
        world.market.sell("A", "TEE", 1, at(PAID));
        cycle(&world).await;
        // Somebody changes it in the back office.
        world.market.inside().shown.insert(ListingKey::item("item-TEE"), 500);
        world.set("2026-11-24T15:00");
        assert_eq!(cycle(&world).await.tally.stock_differs, 0, "once a day");
        world.set("2026-11-25T10:00");
        let report = cycle(&world).await;
        assert_eq!(report.tally.stock_differs, 1);
        assert_eq!(shown(&world, "TEE"), Some(if repair { 99 } else { 500 }));
        let state = world.hub().state(&world.account).await.unwrap();
        assert!(state.health.issues.contains_key(&IssueKey::StockDiffers));
    }
}

#[tokio::test]
async fn ss_11_what_could_not_be_read_is_compared_by_the_next_cycle() {
    let mut world = with_stock(100, 0);
    world.options.reconcile = Some(Reconcile::Repair);
    world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    world.market.inside().shown.insert(ListingKey::item("item-TEE"), 500);
    world.set("2026-11-25T10:00");
    world.market.fail("read_stock", Error::new(ErrorKind::Unavailable), false);
    assert_eq!(cycle(&world).await.tally.stock_differs, 0);
    world.set("2026-11-25T11:00");
    assert_eq!(cycle(&world).await.tally.stock_differs, 1);
    assert_eq!(shown(&world, "TEE"), Some(99));
}

// ---- AM

#[tokio::test]
async fn am_2_statistics_only_does_nothing_to_orders_by_cycle_or_by_hand() {
    let mut world = morning();
    world.options.mode = Some(AccountMode::StatisticsOnly);
    world.centre.set_on_hand("TEE", 10);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    let report = cycle(&world).await;
    assert_eq!(report.tally.linked, 1);
    let hub = world.hub();
    let order = std::slice::from_ref(&id);
    let parcels = vec![(id.clone(), parcel("1"))];
    let refused = [
        hub.confirm(&world.account, order).await.unwrap_err(),
        hub.instruct(&world.account, order).await.unwrap_err(),
        hub.dispatch(&world.account, parcels).await.unwrap_err(),
        hub.push_stock(&world.account).await.unwrap_err(),
        hub.decide_cancel(
            &world.account,
            &id,
            sales_channels::channel::CancelAction::Accept,
            sales_channels::channel::CancelReason::BuyerRequest,
            None,
        )
        .await
        .unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("statistics-only mode"), "{error}");
    }
    for call in ["confirm", "dispatch", "set_stock", "set_ship_date"] {
        assert_eq!(world.market.calls(call), 0, "{call}");
    }
    assert_eq!(world.centre.instructed(), 0);
}

#[tokio::test]
async fn am_1_and_am_4_orders_are_counted_per_day_currency_and_sku() {
    let world = morning();
    let yen = |n: i64| Some(Money::new(Decimal::from(n), sales_channels::model::Currency::JPY));
    world.market.sell_with("A", "TEE", 2, at(PAID), |s| {
        s.order.lines[0].discount = yen(100);
        s.order.totals.shipping = yen(500);
    });
    let cancelled = world.market.sell("B", "TEE", 1, at("2026-11-24T00:10"));
    world.market.sell_with("C", "TEE", 1, at(PAID), |s| {
        s.order.currency = sales_channels::model::Currency::USD;
        s.order.lines[0].unit_price = Some(Money::new("19.80".parse().unwrap(), s.order.currency));
    });
    cycle(&world).await;
    world.market.edit(&cancelled, |order| order.status = OrderStatus::Cancelled);
    world.set("2026-11-24T11:00");
    cycle(&world).await;
    let sales = world.hub().sales(DateRange::day("2026-11-24".parse().unwrap())).await.unwrap();
    let row = |currency: &str, sku: Option<&str>| {
        let found = sales
            .rows
            .iter()
            .find(|(key, _)| key.currency.as_str() == currency && key.sku.as_ref().map(Sku::as_str) == sku);
        found.unwrap().1.clone()
    };
    let tee = row("JPY", Some("TEE"));
    assert_eq!((tee.orders, tee.units, tee.cancelled), (2, 3, 1));
    assert_eq!((tee.gross, tee.discount), (Decimal::from(3 * 1980), Decimal::from(100)));
    assert_eq!(row("JPY", None).shipping, Decimal::from(500));
    assert_eq!(
        row("USD", Some("TEE")).gross,
        "19.80".parse().unwrap(),
        "currencies are never added together"
    );
    assert_eq!(sales.foreign_amounts, 0);
}

// ---- DT

async fn delivered(world: &World, id: &OrderId, hub: &Hub) -> bool {
    world.market.edit(id, |order| order.status = OrderStatus::Delivered);
    world.set("2026-11-24T15:00");
    hub.cycle(&world.account).await.unwrap();
    hub.order(&world.account, id).await.unwrap().unwrap().order.status == OrderStatus::Delivered
}

#[tokio::test]
async fn dt_1_orders_dispatched_here_are_followed_to_their_end_and_others_are_not() {
    let world = morning();
    let here = world.market.sell("A", "TEE", 1, at(PAID));
    let elsewhere = world.market.sell("B", "TEE", 1, at(PAID));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let acted = hub.dispatch(&world.account, vec![(here.clone(), parcel("1"))]).await.unwrap();
    acted[0].result.as_ref().unwrap();
    world.market.edit(&elsewhere, |order| order.status = OrderStatus::Shipped);
    world.set("2026-11-24T11:00");
    hub.cycle(&world.account).await.unwrap();
    assert!(delivered(&world, &here, &hub).await);
    assert!(!delivered(&world, &elsewhere, &hub).await, "not dispatched here");
    assert_eq!(record(&world, &here).await.next_read, None, "DT-3: it has ended");
}

#[tokio::test]
async fn dt_2_all_collected_orders_are_followed() {
    let mut world = morning();
    world.options.delivery_tracking = Some(DeliveryTracking::AllCollected);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    world.market.edit(&id, |order| order.status = OrderStatus::Shipped);
    world.set("2026-11-24T11:00");
    hub.cycle(&world.account).await.unwrap();
    assert!(delivered(&world, &id, &hub).await);
}

#[tokio::test]
async fn dt_3_following_gets_rarer_and_ends_after_30_days() {
    let mut world = morning();
    world.options.delivery_tracking = Some(DeliveryTracking::AllCollected);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    world.market.edit(&id, |order| order.status = OrderStatus::Shipped);
    let mut per_day = Vec::new();
    for _ in 0..33 {
        let before = world.market.calls("read");
        for _ in 0..24 {
            world.clock.advance(TimeDelta::hours(1));
            hub.cycle(&world.account).await.unwrap();
        }
        per_day.push(world.market.calls("read") - before);
    }
    // Night sweeps see the order too, and a state just seen needs no read.
    assert!(per_day[0] >= 18, "hourly at first: {per_day:?}");
    assert!((3..=5).contains(&per_day[4]), "every six hours: {per_day:?}");
    assert_eq!(per_day[20], 1, "daily: {per_day:?}");
    assert_eq!(per_day[31..], [0, 0], "ended: {per_day:?}");
}

// ---- SD

#[tokio::test]
async fn sd_3_the_date_is_sent_with_the_confirmation_and_sd_1_counts_from_its_day() {
    let mut world = World::new("2026-11-27T10:00");
    world.options.ship_offset = Some(2);
    world.options.holidays = Some(vec!["2026-12-01".parse().unwrap()]);
    let id = world.market.sell("A", "TEE", 1, at("2026-11-27T09:00"));
    let report = cycle(&world).await;
    // Friday; D+1 is Monday, Tuesday is a holiday, so D+2 is Wednesday.
    assert_eq!(world.market.sold(&id).ship_dates, ["2026-12-02".parse().unwrap()]);
    assert_eq!(report.tally.ship_dates, 1);
    assert_eq!(world.market.calls("set_ship_date"), 0);
}

#[tokio::test]
async fn sd_3_where_the_channel_takes_it_by_a_call_of_its_own_it_follows_the_confirmation() {
    let mut world = morning();
    world.market.switch(|s| s.ship_date = Some(false));
    world.options.ship_offset = Some(0);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    world.market.fail("set_ship_date", Error::new(ErrorKind::Unavailable), false);
    cycle(&world).await;
    world.set("2026-11-25T10:00");
    cycle(&world).await;
    assert_eq!(world.market.sold(&id).ship_dates, ["2026-11-24".parse().unwrap()], "day zero stays");
}

#[tokio::test]
async fn sd_4_once_sent_it_never_changes() {
    for separate in [false, true] {
        let mut world = morning();
        world.market.switch(|s| s.ship_date = Some(!separate));
        world.options.ship_offset = Some(1);
        let id = world.market.sell("A", "TEE", 1, at(PAID));
        let hub = world.hub();
        hub.cycle(&world.account).await.unwrap();
        let other = OptionSet { ship_offset: Some(3), ..OptionSet::default() };
        hub.set_options(&world.account, &other).unwrap();
        world.set("2026-11-25T10:00");
        hub.cycle(&world.account).await.unwrap();
        hub.delete(&world.account, std::slice::from_ref(&id)).await.unwrap();
        hub.run_for(&world.account, DateRange::day("2026-11-24".parse().unwrap())).await.unwrap();
        hub.cycle(&world.account).await.unwrap();
        let known = record(&world, &id).await;
        assert!(known.is_linked());
        assert_eq!(
            world.market.sold(&id).ship_dates,
            ["2026-11-25".parse().unwrap()],
            "separate: {separate}"
        );
        assert_eq!(known.ship_date, Some("2026-11-25".parse().unwrap()));
    }
}

// ---- NB, RC, HM, CT

#[tokio::test]
async fn nb_1_off_tells_the_channel_not_to_mail() {
    let world = morning();
    world.market.switch(|s| s.notify = true);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    cycle(&world).await;
    world.hub().dispatch(&world.account, vec![(id.clone(), parcel("1"))]).await.unwrap();
    assert_eq!(world.market.sold(&id).dispatches[0].1, Some(Notify::Nobody));
}

#[tokio::test]
async fn rc_1_no_links_ordinary_orders_and_rc_2_yes_makes_them_fulfilment_orders() {
    for yes in [false, true] {
        let mut world = with_fulfilment();
        world.market.switch(|s| s.option_code = OptionCode::Choice);
        world.options.option_code_as_sku = Some(yes);
        let id = world.market.sell("A", "TEE", 1, at(PAID));
        cycle(&world).await;
        let known = record(&world, &id).await;
        assert!(known.is_linked());
        assert_eq!(known.fulfilment == Fulfilment::Centre, yes);
        assert_eq!(world.centre.instructed(), usize::from(yes));
    }
}

#[tokio::test]
async fn hm_1_and_hm_3_dispatch_without_a_choice_is_an_error_and_nothing_is_guessed() {
    let world = morning();
    world.market.switch(|s| s.hand_over = &[HandOver::PickUp, HandOver::DropOff]);
    let id = world.market.sell("A", "TEE", 1, at(PAID));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let parcels = vec![(id.clone(), parcel("1"))];
    let refused = hub.dispatch(&world.account, parcels.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("HM-3"), "{refused}");
    assert_eq!(world.market.calls("dispatch"), 0);
    let chosen = OptionSet { hand_over: Some(HandOver::PickUp), ..OptionSet::default() };
    hub.set_options(&world.account, &chosen).unwrap();
    hub.dispatch(&world.account, parcels).await.unwrap()[0].result.as_ref().unwrap();
    assert_eq!(world.market.sold(&id).dispatches[0].2, Some(HandOver::PickUp), "HM-1");
    let step = record(&world, &id).await.dispatches[0].clone();
    assert_eq!(step.parcel_ids, ["parcel-1"], "what the channel gave is kept");
    assert!(step.label.is_some());
}

#[tokio::test]
async fn hm_3_parcels_that_wait_for_a_choice_are_an_issue_until_it_is_made() {
    let world = with_fulfilment();
    world.market.switch(|s| s.hand_over = &[HandOver::PickUp, HandOver::DropOff]);
    world.market.sell("A", "TEE", 1, at(PAID));
    let hub = world.hub();
    let issue = async || {
        let health = world.store.state(&world.account).await.unwrap().unwrap().health;
        health.issues.get(&IssueKey::HandOver).cloned()
    };
    hub.cycle(&world.account).await.unwrap();
    assert!(issue().await.is_none(), "no parcel waits");
    world.centre.ship_all("Yamato", at("2026-11-24T10:30"));
    world.set("2026-11-24T11:00");
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(issue().await.map(|issue| issue.level), Some(HealthLevel::Degraded));
    let mut chosen = world.options.clone();
    chosen.hand_over = Some(HandOver::DropOff);
    hub.set_options(&world.account, &chosen).unwrap();
    world.set("2026-11-24T12:00");
    assert_eq!(hub.cycle(&world.account).await.unwrap().tally.dispatched, 1);
    assert!(issue().await.is_none());
}

#[tokio::test]
async fn the_same_parcel_twice_is_one_dispatch_and_impossible_pieces_are_refused() {
    let world = morning();
    let id = world.market.sell("A", "TEE", 3, at(PAID));
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    let part = parcel("1").part(vec![("1".into(), 2)]);
    for _ in 0..2 {
        let acted = hub.dispatch(&world.account, vec![(id.clone(), part.clone())]).await;
        if let Ok(acted) = acted {
            acted[0].result.as_ref().unwrap();
        }
    }
    assert_eq!(world.market.sold(&id).dispatches.len(), 1);
    let too_many = parcel("2").part(vec![("1".into(), 2)]);
    let refused = hub.dispatch(&world.account, vec![(id.clone(), too_many)]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let rest = parcel("3").part(vec![("1".into(), 1)]);
    hub.dispatch(&world.account, vec![(id.clone(), rest)]).await.unwrap()[0].result.as_ref().unwrap();
    assert_eq!(world.market.sold(&id).order.status, OrderStatus::Shipped);
}

#[tokio::test]
async fn a_parcel_that_was_cut_off_between_its_calls_is_reported_to_its_end() {
    let world = morning();
    let id = world.market.sell_with("A", "TEE", 1, at(PAID), |s| {
        let mut second = s.order.lines[0].clone();
        second.id = "2".into();
        s.order.lines.push(second);
    });
    let hub = world.hub();
    hub.cycle(&world.account).await.unwrap();
    world.market.fail("dispatch", Error::new(ErrorKind::TimedOut).with_unknown_effect(), false);
    hub.dispatch(&world.account, vec![(id.clone(), parcel("1"))]).await.unwrap();
    // One of the channel's two calls was made: its number shows, the other line is left.
    world.market.edit(&id, |order| {
        order.lines[0].shipped = 1;
        order.tracking.push(Tracking::new("Yamato", "4000-1"));
    });
    world.set("2026-11-24T13:00");
    hub.cycle(&world.account).await.unwrap();
    assert_eq!(world.market.sold(&id).order.status, OrderStatus::Shipped);
    assert!(record(&world, &id).await.dispatches[0].step.is_done());
}

#[tokio::test]
async fn ct_1_a_connection_is_tested_before_it_is_saved() {
    let world = morning();
    let hub = world.hub();
    let account = world.account();
    let report = hub.test(account.channel.as_ref()).await.unwrap();
    assert!(report.is_complete());
    world.market.inside().accepted_key = "another".into();
    let error = hub.test(account.channel.as_ref()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(world.market.calls("fetch"), 0, "harmless");
}

#[tokio::test]
async fn ah_1_every_failure_shows_in_the_accounts_health_with_what_to_do() {
    let world = with_stock(100, 0);
    world.market.sell_with("A", "TEE", 1, at(PAID), |s| s.refuses = Some(("-1".into(), false)));
    world.market.fail("set_stock", Error::new(ErrorKind::Unavailable), false);
    cycle(&world).await;
    let health = world.hub().state(&world.account).await.unwrap().health;
    assert_eq!(health.level(), HealthLevel::Degraded);
    use sales_channels::channel::Operation;
    for key in [IssueKey::Refused(Operation::Confirm), IssueKey::StockPush] {
        let issue = &health.issues[&key];
        assert!(!issue.advice.is_empty() && issue.since == at("2026-11-24T10:00"), "{key}");
    }
    assert!(health.last_success.contains_key(&Operation::FetchOrders));
}

#[tokio::test]
async fn ah_1_an_issue_goes_when_its_cause_is_gone_whoever_removed_it() {
    use sales_channels::channel::Operation;
    let world = morning();
    let refused = world.market.sell_with("A", "TEE", 1, at(PAID), |s| s.refuses = Some(("-1".into(), false)));
    world.market.sell("B", "TEE", 1, at(PAID));
    // Its answer is lost, and the next cycle reads that it was confirmed: no confirmation succeeds any more.
    world.market.fail("confirm", Error::new(ErrorKind::TimedOut).with_unknown_effect(), true);
    cycle(&world).await;
    world.set("2026-11-24T15:00");
    cycle(&world).await;
    let issues = |world: &World| {
        let (hub, account) = (world.hub(), world.account.clone());
        async move { hub.state(&account).await.unwrap().health.issues.into_keys().collect::<Vec<_>>() }
    };
    assert_eq!(issues(&world).await, [IssueKey::Refused(Operation::Confirm)], "the refusal stays");
    world.market.edit(&refused, |order| order.status = OrderStatus::Confirmed);
    world.set("2026-11-24T16:00");
    cycle(&world).await;
    assert_eq!(issues(&world).await, [], "confirmed in the back office");
}

#[tokio::test]
async fn ah_1_a_person_takes_off_what_only_a_person_can_judge() {
    let world = morning();
    world.market.sell_with("A", "TEE", 1, at(PAID), |s| s.unreadable = true);
    cycle(&world).await;
    world.set("2026-11-24T15:00");
    assert_eq!(cycle(&world).await.health, HealthLevel::Degraded, "it stays");
    assert!(world.hub().acknowledge(&world.account, &IssueKey::UnreadableRows).await.unwrap());
    world.set("2026-11-24T16:00");
    assert_eq!(cycle(&world).await.health, HealthLevel::Ok);
}
