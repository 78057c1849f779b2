use sales_channels_sandbox::faces::qoo10::Qoo10;
use sales_channels_sandbox::market::{
    Action, ClaimKind, ItemDraft, LineDraft, LineState, OrderState, ParcelDraft, ParcelLine, Refusal,
    ShipPromise,
};
use sales_channels_sandbox::sample::{self, SampleOrders};
use sales_channels_sandbox::{Amount, Clock, Market, OrderDraft, Sandbox, StartError};

use crate::support::{Shop, noon};

fn market() -> Market {
    Market::new(Clock::standing(noon()))
}

fn two_lines(
    market: &Market,
) -> (sales_channels_sandbox::market::OrderNumber, [sales_channels_sandbox::market::LineNumber; 2]) {
    let line = || LineDraft::unlisted("CAP-02", "キャップ", Amount::whole(2480), 3);
    let order = market.buyer().place(OrderDraft::of(vec![line(), line()])).unwrap();
    let lines = market.lines_of(order);
    (order, [lines[0], lines[1]])
}

#[test]
fn an_order_is_as_far_as_the_line_that_is_least_far() {
    let market = market();
    let (order, lines) = two_lines(&market);
    let state = || market.order(order).unwrap().state();
    assert_eq!(state(), OrderState::Paid);
    market.back_office().confirm(lines[0], None).unwrap();
    assert_eq!(state(), OrderState::Paid);
    market.back_office().confirm(lines[1], None).unwrap();
    assert_eq!(state(), OrderState::Confirmed);
    market.back_office().ship_line(lines[0], "a", "1").unwrap();
    assert_eq!(state(), OrderState::PartlyShipped);
    market.back_office().cancel(lines[1], "").unwrap();
    assert_eq!(state(), OrderState::Shipped);
    market.marketplace().deliver(lines[0]).unwrap();
    assert_eq!(state(), OrderState::Delivered);
}

#[test]
fn a_parcel_takes_parts_of_lines_and_never_more_than_is_left() {
    let market = market();
    let (order, lines) = two_lines(&market);
    let parcel = |lines: &[(sales_channels_sandbox::market::LineNumber, u32)]| ParcelDraft {
        carrier: "a".into(),
        tracking: "1".into(),
        lines: lines.iter().map(|&(line, quantity)| ParcelLine { line, quantity }).collect(),
    };
    let acting = market.back_office();
    assert_eq!(acting.ship(order, parcel(&[(lines[0], 2), (lines[1], 4)])), Err(Refusal::BadQuantity));
    assert_eq!(acting.ship(order, parcel(&[(lines[0], 1), (lines[0], 1)])), Err(Refusal::BadQuantity));
    assert_eq!(market.line(lines[0]).unwrap().shipped_quantity, 0, "all lines leave, or none");
    acting.ship(order, parcel(&[(lines[0], 2), (lines[1], 3)])).unwrap();
    assert_eq!(market.line(lines[0]).unwrap().state, LineState::Paid);
    assert_eq!(market.line(lines[1]).unwrap().state, LineState::Shipped);
    assert_eq!(acting.ship(order, parcel(&[(lines[0], 2)])), Err(Refusal::BadQuantity));
    acting.ship(order, parcel(&[(lines[0], 1)])).unwrap();
    assert_eq!(market.order(order).unwrap().state(), OrderState::Shipped);
    assert_eq!(market.order(order).unwrap().parcels.len(), 2);
}

#[test]
fn two_lines_of_one_order_can_not_take_the_same_last_units() {
    let market = market();
    let item = market.list(ItemDraft::simple("A", "a", Amount::whole(1), 3)).unwrap();
    let draft = OrderDraft::of(vec![LineDraft::of(item, 2), LineDraft::of(item, 2)]);
    assert_eq!(market.buyer().place(draft.clone()), Err(Refusal::OutOfStock));
    assert_eq!(market.quantity(item, None), Some(3));
    market.back_office().set_quantity(item, None, 4).unwrap();
    market.buyer().place(draft).unwrap();
    assert_eq!(market.quantity(item, None), Some(0));
    let record = market.record();
    assert_eq!((record[0].action.clone(), record[0].is_done()), (Action::Placed, false));
}

#[test]
fn the_record_counts_repeats() {
    let market = market();
    let (_, lines) = two_lines(&market);
    let promise =
        |day: &str| ShipPromise { date: day.parse().unwrap(), reason: String::new(), memo: String::new() };
    market.back_office().confirm(lines[0], Some(promise("2026-11-25"))).unwrap();
    market.back_office().set_ship_date(lines[0], promise("2026-11-26")).unwrap();
    market.back_office().set_ship_date(lines[0], promise("2026-11-26")).unwrap();
    assert_eq!(market.back_office().confirm(lines[0], None), Err(Refusal::AlreadyConfirmed));
    let dates: Vec<String> = market.ship_dates_set(lines[0]).iter().map(ToString::to_string).collect();
    assert_eq!(dates, ["2026-11-25", "2026-11-26", "2026-11-26"]);
    assert_eq!(market.confirmations(lines[0]), 1);
    assert_eq!(market.record_of(lines[0]).len(), 4);
    assert!(market.record_of(lines[1]).is_empty());
}

#[test]
fn claims_fit_the_state_of_their_line() {
    let market = market();
    let (_, lines) = two_lines(&market);
    let buyer = market.buyer();
    assert_eq!(buyer.claim(lines[0], ClaimKind::Return, ""), Err(Refusal::WrongState(LineState::Paid)));
    buyer.request_cancel(lines[0], "").unwrap();
    assert_eq!(buyer.request_cancel(lines[0], ""), Err(Refusal::ClaimOpen));
    buyer.withdraw_cancel(lines[0]).unwrap();
    assert_eq!(buyer.withdraw_cancel(lines[0]), Err(Refusal::NoOpenClaim));
    buyer.request_cancel(lines[0], "").unwrap();
    market.back_office().ship_line(lines[1], "a", "1").unwrap();
    assert_eq!(buyer.request_cancel(lines[1], ""), Err(Refusal::WrongState(LineState::Shipped)));
}

#[test]
fn units_of_a_line_are_cancelled_and_the_rest_leaves() {
    let market = market();
    let item = market.list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 10)).unwrap();
    let order = market.buyer().place(OrderDraft::of(vec![LineDraft::of(item, 3)])).unwrap();
    let line = market.lines_of(order)[0];
    market.buyer().claim_units(line, ClaimKind::Cancel, 2, "").unwrap();
    assert_eq!(market.buyer().claim_units(line, ClaimKind::Cancel, 1, ""), Err(Refusal::ClaimOpen));
    market.back_office().cancel_units(line, 2, "").unwrap();
    assert!(!market.order(order).unwrap().claims[0].is_open());
    assert_eq!((market.quantity(item, None), market.line(line).unwrap().open_quantity()), (Some(9), 1));
    assert_eq!(market.back_office().cancel_units(line, 2, ""), Err(Refusal::BadQuantity));
    assert_eq!(market.buyer().claim_units(line, ClaimKind::Cancel, 2, ""), Err(Refusal::BadQuantity));
    let two = ParcelDraft { lines: vec![ParcelLine { line, quantity: 2 }], ..ParcelDraft::default() };
    assert_eq!(market.back_office().ship(order, two), Err(Refusal::BadQuantity));
    market.back_office().ship_line(line, "a", "1").unwrap();
    let sent = market.line(line).unwrap();
    assert_eq!((sent.state, sent.shipped_quantity, sent.cancelled_quantity), (LineState::Shipped, 1, 2));
}

#[test]
fn the_last_units_that_are_cancelled_cancel_the_line() {
    let market = market();
    let item = market.list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 10)).unwrap();
    let order = market.buyer().place(OrderDraft::of(vec![LineDraft::of(item, 3)])).unwrap();
    let line = market.lines_of(order)[0];
    market.back_office().cancel_units(line, 1, "").unwrap();
    market.back_office().cancel_units(line, 2, "").unwrap();
    assert_eq!(
        (market.line(line).unwrap().state, market.quantity(item, None)),
        (LineState::Cancelled, Some(10))
    );
    assert_eq!(
        market.back_office().cancel_units(line, 1, ""),
        Err(Refusal::WrongState(LineState::Cancelled))
    );
}

#[test]
fn what_a_face_refused_stands_in_the_record_and_changes_nothing() {
    let market = market();
    let (_, [line, _]) = two_lines(&market);
    let before = market.line(line);
    let action = Action::Shipped { quantity: 3, carrier: "a".into(), tracking: "1".into() };
    market.back_office().refused(line, action, Refusal::ClaimOpen);
    assert_eq!(market.line(line), before);
    assert!(market.dispatches(line).is_empty());
    assert_eq!(market.record_of(line).last().unwrap().refused, Some(Refusal::ClaimOpen));
}

#[test]
fn a_hundred_thousand_orders_are_imported_and_found_by_payment_time() {
    let market = market();
    let items = sample::list_catalogue(&market).unwrap();
    let spec = SampleOrders { spacing_seconds: 1, max_lines: 1, ..SampleOrders::new(100_000, 1) };
    let numbers = sample::import_orders(&market, &items, &spec).unwrap();
    assert_eq!(numbers.len(), 100_000);
    let from = noon() - chrono::TimeDelta::seconds(9);
    let until = noon() + chrono::TimeDelta::seconds(1);
    assert_eq!(market.read(|state| state.paid_between(from, until).count()), 10);
    assert_eq!(market.read(|state| state.paid_between(until, from).count()), 0);
    assert!(market.record().is_empty());
}

#[tokio::test]
async fn a_dropped_sandbox_closes_its_ports() {
    let shop = Shop::open().await;
    let (client, url) = (shop.client.clone(), shop.sandbox.control_url());
    assert!(client.get(&url).send().await.is_ok());
    shop.sandbox.stop().await;
    assert!(client.get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_sandbox_needs_faces_of_different_names() {
    assert!(matches!(Sandbox::builder().start().await, Err(StartError::NoFaces)));
    let twice = Sandbox::builder().face(Qoo10::new()).face(Qoo10::new());
    assert!(matches!(twice.start().await, Err(StartError::SameId("qoo10"))));
}

#[tokio::test]
async fn unknown_faces_are_named() {
    let shop = Shop::open().await;
    assert_eq!(shop.sandbox.base_url("nowhere").unwrap_err().to_string(), "the sandbox has no face nowhere");
}
