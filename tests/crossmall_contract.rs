//! Whole calls of the CROSS MALL adapter: what is sent, byte for byte, and what becomes of each answer.
#![cfg(feature = "crossmall")]
#![allow(clippy::unwrap_used)] // tests

mod crossmall;

use std::io::Write;
use std::sync::{Arc, Mutex};

use crossmall::*;
use mockito::Matcher;
use sales_channels::adapters::crossmall::{AUTH_KEY, Config, CrossMall};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    Capability, CapabilityCheck, Channel, ConfirmRequest, Confirmed, Context, Credentials, DispatchRequest,
    Dispatched, Outcome, PageCursor, Repeat, Row, Tracking,
};
use sales_channels::model::{Hold, ListingKey, Order, OrderStatus};
use sales_channels::{ErrorKind, Result};

#[tokio::test]
async fn a_window_is_asked_for_by_change_and_by_day_of_order_until_an_empty_answer() {
    let mut shop = Shop::open().await;
    let mut mocks = Vec::new();
    for span in [CHANGED, ORDERED] {
        mocks.push(shop.on("get_order", &page(None, span), sample("get_order")).await);
        // Fewer than 100 rows may be all, or what the channel takes for a page from now on.
        mocks.push(shop.on("get_order", &page(Some("00252963"), span), sample("get_order_empty")).await);
    }
    mocks
        .push(shop.on("get_order_detail", &[("order_number", "00252963")], sample("get_order_detail")).await);
    mocks.push(shop.on("get_item_sku", &[("item_code", "t-shirt")], sample("get_item_sku")).await);
    let rows = shop.fetch().await.unwrap();
    let [Row::Order(order)] = rows.as_slice() else { panic!("one order, once: {rows:?}") };
    assert_eq!((order.id.as_str(), order.status), ("00252963", OrderStatus::New));
    assert_eq!(order.lines[0].sku.as_ref().unwrap().as_str(), "TEE-S-BK");
    assert_eq!(order.lines[0].listing, ListingKey::option("t-shirt", "S/BK"));
    let raw = order.raw.reveal();
    assert!(
        raw.contains("<order_number>00252963</order_number>") && raw.contains("<jan_cd>"),
        "both its rows"
    );
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn pages_go_on_after_the_largest_number_and_can_end_after_any_row() {
    let mut shop = Shop::with(|config| config.with_page_size(2)).await;
    let _variants = shop.has_no_variants().await;
    let rows: Vec<String> = (7..=11).map(|n| row(&format!("{n:08}"), &[])).collect();
    let mut mocks = Vec::new();
    for (after, rest) in [(None, &rows[..3]), (Some("00000008"), &rows[2..]), (Some("00000010"), &rows[4..])]
    {
        mocks.push(shop.on("get_order", &page(after, CHANGED), listing(rest)).await);
    }
    mocks.push(shop.on("get_order", &page(Some("00000011"), CHANGED), NONE).await);
    mocks.push(shop.on("get_order", &page(None, ORDERED), NONE).await);
    for n in 7..=11 {
        mocks.push(shop.has_lines(&format!("{n:08}"), 1).await);
    }
    assert_eq!(
        ids(&shop.fetch().await.unwrap()),
        ["00000007", "00000008", "00000009", "00000010", "00000011"]
    );
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_page_ends_early_where_the_callers_time_runs_out() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let rows: Vec<String> = (7..=9).map(|n| row(&format!("{n:08}"), &[])).collect();
    shop.on("get_order", &page(None, CHANGED), listing(&rows)).await;
    shop.on("get_order", &page(Some("00000007"), CHANGED), listing(&rows[1..])).await;
    for n in 7..=9 {
        shop.has_lines(&format!("{n:08}"), 2).await;
    }
    let hurried = cx().with_budget(std::time::Duration::from_secs(9));
    let first = shop.page(&hurried, None).await.unwrap();
    assert_eq!(ids(&first.rows), ["00000007"]);
    let second = shop.page(&hurried, first.next.as_ref()).await.unwrap();
    assert_eq!(ids(&second.rows), ["00000008"], "nothing is skipped");
    assert!(second.next.is_some());
}

#[tokio::test]
async fn an_order_imported_late_and_one_changed_later_are_both_found_and_neighbours_are_not() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let late =
        row("00000001", &[("order_date", "2026/11/20 09:00:00"), ("updated_at", "2026/11/24 10:30:00")]);
    let both =
        row("00000002", &[("order_date", "2026/11/24 10:10:00"), ("updated_at", "2026/11/24 10:20:00")]);
    let later =
        row("00000003", &[("order_date", "2026/11/24 10:10:00"), ("updated_at", "2026/11/24 18:00:00")]);
    let earlier_today = row("00000004", &[("order_date", "2026/11/24 08:00:00")]);
    shop.lists(&[late, both.clone()], &[both, later, earlier_today]).await;
    let mut mocks = Vec::new();
    for number in ["00000001", "00000002", "00000003"] {
        mocks.push(shop.has_lines(number, 1).await);
    }
    assert_eq!(ids(&shop.fetch().await.unwrap()), ["00000001", "00000002", "00000003"]);
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn an_order_that_changes_between_the_passes_comes_again_in_its_newer_state() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let newer = [("phase_name", "発送待ち"), ("updated_at", "2026/11/24 11:30:00")];
    shop.lists(&[row("00000001", &[])], &[row("00000001", &newer)]).await;
    let _lines = shop.has_lines("00000001", 2).await;
    let rows = shop.fetch().await.unwrap();
    let statuses: Vec<OrderStatus> = rows.iter().filter_map(Row::order).map(|order| order.status).collect();
    assert_eq!(statuses, [OrderStatus::New, OrderStatus::Confirmed]);
}

#[tokio::test]
async fn a_page_that_does_not_ascend_stops_rather_than_skips() {
    for (after, numbers) in [(None, ["00000002", "00000001"]), (Some("00000002"), ["00000002", "00000003"])] {
        let mut shop = Shop::with(|config| config.with_page_size(1)).await;
        let _variants = shop.has_no_variants().await;
        if after.is_some() {
            shop.on("get_order", &page(None, CHANGED), listing(&[row("00000002", &[])])).await;
            shop.has_lines("00000002", 1).await;
        }
        let rows = numbers.map(|number| row(number, &[]));
        shop.times("get_order", &page(after, CHANGED), listing(&rows), 1).await;
        assert_eq!(shop.fetch().await.unwrap_err().kind(), ErrorKind::MalformedResponse, "{after:?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_spoils_only_itself_and_keeps_its_raw_text() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let bad = [
        ("00000002", row("00000002", &[("order_memo", "a</wrong>")]), "whole XML"),
        ("00000003", row("00000003", &[("order_date", "?"), ("created_at", "?")]), "date"),
        ("00000004", row("00000004", &[("bundle_ahead_number", "00000001")]), "packed into order 00000001"),
    ];
    let rows = [
        row("00000001", &[]),
        bad[0].1.clone(),
        bad[1].1.clone(),
        bad[2].1.clone(),
        row("00000005", &[]),
        row("00000006", &[]),
    ];
    shop.lists(&rows, &[]).await;
    let _lines = (shop.has_lines("00000001", 1).await, shop.has_lines("00000006", 1).await);
    let refused = error("同梱の子受注です");
    shop.on("get_order_detail", &[("order_number", "00000005")], refused).await;
    let rows = shop.fetch().await.unwrap();
    assert_eq!(ids(&rows), ["00000001", "00000006"]);
    let told = unreadable(&rows);
    assert_eq!(told.len(), 4);
    for ((id, reason, raw), (number, xml, word)) in told.iter().zip(&bad) {
        assert_eq!(id.as_deref(), Some(*number));
        assert!(reason.contains(word) && raw.contains(xml.as_str()), "{reason}");
    }
    assert_eq!(told[3].0.as_deref(), Some("00000005"));
    assert!(told[3].1.contains("同梱の子受注です"), "{}", told[3].1);
}

#[tokio::test]
async fn lines_that_cannot_be_read_spoil_only_their_order() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    shop.lists(&[row("00000001", &[]), row("00000002", &[])], &[]).await;
    let lines =
        envelope("GetOrderDetail", &[line("00000001", "1", &[]), line("00000001", "2", &[("amount", "0")])]);
    shop.on("get_order_detail", &[("order_number", "00000001")], lines).await;
    let _lines = shop.has_lines("00000002", 1).await;
    let rows = shop.fetch().await.unwrap();
    assert_eq!((ids(&rows), unreadable(&rows).len()), (vec!["00000002"], 1));
}

#[tokio::test]
async fn trouble_with_the_lines_fails_the_page_rather_than_loses_an_order() {
    let mut shop = Shop::open().await;
    shop.on("get_order", &page(None, CHANGED), listing(&[row("00000001", &[])])).await;
    let lines = shop.always("get_order_detail", 503, "", 2).await;
    let error = shop.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, false));
    lines.assert_async().await;
}

#[tokio::test]
async fn a_last_row_without_a_number_ends_the_pass_instead_of_blocking_it() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let broken = row("?", &[]);
    shop.on("get_order", &page(None, CHANGED), listing(&[row("00000001", &[]), broken.clone()])).await;
    shop.on("get_order", &page(Some("00000001"), CHANGED), listing(std::slice::from_ref(&broken))).await;
    shop.on("get_order", &page(None, ORDERED), NONE).await;
    let _lines = shop.has_lines("00000001", 1).await;
    let rows = shop.fetch().await.unwrap();
    assert_eq!(ids(&rows), ["00000001"]);
    assert!(unreadable(&rows).iter().all(|(id, _, raw)| id.is_none() && raw.contains("山田")));

    let mut shop = Shop::open().await;
    let full: Vec<String> = (0..100).map(|_| broken.clone()).collect();
    shop.on("get_order", &page(None, CHANGED), listing(&full)).await;
    assert_eq!(shop.fetch().await.unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn sku_codes_are_looked_up_once_an_item_and_an_item_that_is_refused_costs_no_order() {
    let mut shop = Shop::open().await;
    let rows = ["00000001", "00000002"].map(|number| row(number, &[]));
    shop.lists(&rows[..1], &[]).await;
    let variant = [("item_code", "t-shirt"), ("attribute1_code", "S"), ("attribute2_code", "BK")];
    let lines = |number: &str| {
        let gone = [("item_code", "gone"), ("attribute1_code", "S")];
        let free = [("item_code", "999"), ("free_item_code", "typed")];
        let lines = [
            line(number, "1", &variant),
            line(number, "2", &gone),
            line(number, "3", &free),
            line(number, "4", &variant),
        ];
        envelope("GetOrderDetail", &lines)
    };
    shop.on("get_order_detail", &[("order_number", "00000001")], lines("00000001")).await;
    let shirt = shop.on("get_item_sku", &[("item_code", "t-shirt")], sample("get_item_sku")).await;
    let gone = shop.on("get_item_sku", &[("item_code", "gone")], sample("error")).await;
    let rows = shop.fetch().await.unwrap();
    let order = rows[0].order().unwrap();
    let skus: Vec<Option<&str>> =
        order.lines.iter().map(|line| line.sku.as_ref().map(|sku| sku.as_str())).collect();
    assert_eq!(skus, [Some("TEE-S-BK"), None, None, Some("TEE-S-BK")]);
    for mock in [shirt, gone] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let shop = Shop::open().await;
    for text in ["", "7", "{}", "髙🌸"] {
        let cursor = PageCursor::new(text);
        let error = shop.page(&cx(), Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        let error = shop.channel.listings().unwrap().list(&cx(), Some(&cursor)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
}

#[tokio::test]
async fn a_plain_listing_that_is_refused_is_about_the_account_and_a_later_page_is_not() {
    for (text, kind) in [
        ("認証に失敗しました", ErrorKind::Unauthorized),
        ("IPアドレスが許可されていません", ErrorKind::Forbidden),
    ] {
        let mut shop = Shop::open().await;
        let call = shop.on("get_order", &page(None, CHANGED), error(text)).await;
        let error = shop.fetch().await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (kind, false));
        assert!(error.to_string().contains(text), "{error}");
        call.assert_async().await;
    }
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    shop.on("get_order", &page(None, CHANGED), listing(&[row("00000001", &[])])).await;
    shop.has_lines("00000001", 1).await;
    shop.times("get_order", &page(Some("00000001"), CHANGED), error("?"), 2).await;
    let error = shop.fetch().await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unavailable, true));
}

#[tokio::test]
async fn a_phase_with_two_meanings_stops_everything_before_a_call() {
    let shop = Shop::open().await;
    let cx = with(&[("new_phases", "a"), ("shipped_phases", "a")]);
    let order = known("00000001", OrderStatus::New);
    assert_eq!(shop.page(&cx, None).await.unwrap_err().kind(), ErrorKind::Configuration);
    let read = shop.channel.orders().read(&cx, &[&order]).await.unwrap_err();
    assert_eq!(read.kind(), ErrorKind::Configuration);
    assert_eq!(shop.channel.test(&cx).await.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn orders_are_read_one_by_one_and_one_that_fails_leaves_the_others_alone() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let one = |number| [("order_number", number), ("condition", "0")];
    shop.shows(
        "00000001",
        &[("phase_name", "完了"), ("delivery_number", "A1"), ("delivery_name", "ヤマト")],
        1,
    )
    .await;
    shop.has_lines("00000001", 1).await;
    shop.times("get_order", &one("00000002"), "<html>busy</html>", 2).await;
    shop.on("get_order", &one("00000003"), NONE).await;
    // `condition` is known from one source only: if it means something else, nothing is known of the order.
    shop.times("get_order", &one("00000004"), listing(&[row("00000009", &[])]), 1).await;
    shop.times("get_order", &one("00000005"), error("?"), 2).await;
    shop.shows("00000006", &[("cancel_flag", "2")], 1).await;
    shop.has_lines("00000006", 1).await;
    let known: Vec<Order> = (1..=6).map(|n| known(&format!("{n:08}"), OrderStatus::New)).collect();
    let known: Vec<&Order> = known.iter().collect();
    let read = shop.channel.orders().read(&cx(), &known).await.unwrap();
    assert_eq!(words(&read), ["done", "not tried", "refused", "not tried", "not tried", "done"]);
    let Outcome::Done(shipped) = &read[0] else { panic!() };
    assert_eq!(
        (shipped.status, shipped.tracking.as_slice()),
        (OrderStatus::Shipped, &[Tracking::new("ヤマト", "A1")][..])
    );
    let Outcome::Done(cancelled) = &read[5] else { panic!() };
    assert_eq!(cancelled.status, OrderStatus::Cancelled);
}

#[tokio::test]
async fn a_known_order_keeps_what_vanished_and_its_lines_where_they_are_withheld() {
    let mut shop = Shop::open().await;
    let blank = [("ship_name", ""), ("ship_zip", ""), ("ship_address1", ""), ("client_name", "")];
    shop.shows("00000001", &blank, 1).await;
    shop.on("get_order_detail", &[("order_number", "00000001")], error("?")).await;
    let mut child = blank.to_vec();
    child.push(("bundle_ahead_number", "00000001"));
    shop.shows("00000002", &child, 1).await;
    let no_lines = shop.has_lines("00000002", 0).await;
    let mut orders = ["00000001", "00000002"].map(|number| known(number, OrderStatus::New));
    for order in &mut orders {
        let mut to = sales_channels::model::Destination::default();
        let mut party = sales_channels::model::Party::default();
        party.address.lines = vec!["千代田".to_owned()];
        to.recipient = party.into();
        order.destinations = vec![to];
    }
    let read = shop.channel.orders().read(&cx(), &[&orders[0], &orders[1]]).await.unwrap();
    for outcome in &read {
        let Outcome::Done(order) = outcome else { panic!("{outcome:?}") };
        assert_eq!(order.destinations[0].recipient.reveal().address.lines, ["千代田"]);
        assert_eq!((order.lines.len(), order.holds.as_slice()), (1, &[Hold::ChangePending][..]));
        assert_eq!(order.status, OrderStatus::New);
    }
    no_lines.assert_async().await;
}

async fn confirm(shop: &Shop, cx: &Context, numbers: &[&str]) -> Result<Vec<Outcome<Confirmed>>> {
    let orders: Vec<Order> = numbers.iter().map(|number| known(number, OrderStatus::New)).collect();
    let requests: Vec<ConfirmRequest<'_>> = orders.iter().map(ConfirmRequest::new).collect();
    shop.channel.confirm().unwrap().confirm(cx, &requests).await
}

#[tokio::test]
async fn confirming_reads_the_order_and_moves_it_to_the_chosen_phase() {
    let mut shop = Shop::open().await;
    let read = shop.shows("00252963", &[], 1).await;
    let query = [("order_number", "00252963"), ("after_phase_name", "発送待ち")];
    let moved = shop.on("upd_order_phase", &query, sample("upd_order_phase")).await;
    assert!(signed(&query).ends_with("&signing=3d60325834ff6908b2c1e15b1011e30b"), "the vector of the sheet");
    assert_eq!(words(&confirm(&shop, &cx(), &["00252963"]).await.unwrap()), ["done"]);
    assert_eq!(shop.channel.confirm().unwrap().repeat(), Repeat::ReadFirst);
    read.assert_async().await;
    moved.assert_async().await;
}

#[tokio::test]
async fn each_order_of_a_batch_has_its_own_outcome_and_no_phase_is_moved_back() {
    let mut shop = Shop::open().await;
    let shown: [(&str, &[(&str, &str)]); 8] = [
        ("00000001", &[("phase_name", "発送待ち")]),
        ("00000002", &[("phase_name", "完了")]),
        ("00000003", &[("cancel_flag", "2")]),
        ("00000004", &[("cancel_flag", "1")]),
        ("00000005", &[("phase_name", "謎")]),
        ("00000006", &[("bundle_ahead_number", "00000001")]),
        ("00000008", &[]),
        ("00000009", &[("phase_name", "確認待ち")]),
    ];
    for (number, fields) in shown {
        shop.shows(number, fields, 1).await;
    }
    shop.on("get_order", &[("order_number", "00000007"), ("condition", "0")], NONE).await;
    let to = |number| [("order_number", number), ("after_phase_name", "発送待ち")];
    let mut moves = vec![shop.on("upd_order_phase", &to("00000008"), error("フェーズがありません")).await];
    moves.push(shop.on("upd_order_phase", &to("00000009"), MOVED).await);
    let numbers: Vec<String> = (1..=9).map(|n| format!("{n:08}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let outcomes = confirm(&shop, &cx(), &numbers).await.unwrap();
    assert_eq!(
        words(&outcomes),
        [
            "already",
            "already",
            "refused",
            "refused for now",
            "refused for now",
            "refused",
            "refused",
            "refused",
            "done"
        ]
    );
    for outcome in &outcomes {
        if let Outcome::Refused(refusal) = outcome {
            assert!(refusal.reread && !refusal.message.is_empty());
        }
    }
    let Outcome::Refused(refusal) = &outcomes[7] else { panic!() };
    assert_eq!(refusal.message, "フェーズがありません");
    for mock in moves {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn without_a_phase_to_move_to_nothing_is_sent_and_the_option_is_named() {
    let shop = Shop::open().await;
    let error = confirm(&shop, &Context::new(), &["00000001"]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Configuration, false));
    assert!(error.to_string().contains("confirm_phase"), "{error}");
    let error = dispatch(&shop, &Context::new(), "123").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("shipped_phase"), "{error}");
}

/// The answers that leave it open what was done, or say that nothing was, to a call that must not be repeated.
#[tokio::test]
async fn a_move_is_sent_once_and_an_answer_that_says_nothing_leaves_it_open() {
    use ErrorKind as K;
    let table: [(usize, &str, K, bool); 14] = [
        (500, "", K::Unavailable, true),
        (502, "<html>bad gateway</html>", K::Unavailable, true),
        (503, "", K::Unavailable, true),
        (504, "", K::Unavailable, true),
        (408, "", K::TimedOut, true),
        (200, "", K::MalformedResponse, true),
        (200, "<html><body>login</body></html>", K::MalformedResponse, true),
        (200, &MOVED[..100], K::MalformedResponse, true),
        (200, "<A><ResultSet><ResultStatus/></ResultSet></A>", K::MalformedResponse, true),
        (400, MOVED, K::MalformedResponse, true),
        (401, "", K::Unauthorized, false),
        (403, "", K::Forbidden, false),
        (404, "", K::Configuration, false),
        (302, "", K::MalformedResponse, false),
    ];
    for (status, body, kind, unknown) in table {
        let mut shop = Shop::open().await;
        shop.shows("00000001", &[], 1).await;
        let moved = shop.always("upd_order_phase", status, body, 1).await;
        let error = confirm(&shop, &cx(), &["00000001"]).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome_unknown()), (kind, unknown), "{status} {body}");
        moved.assert_async().await;
    }
    for (status, body) in
        [(400, ""), (409, "no"), (400, error("だめ").as_str()), (200, error("だめ").as_str())]
    {
        let mut shop = Shop::open().await;
        shop.shows("00000001", &[], 1).await;
        let moved = shop.always("upd_order_phase", status, body, 1).await;
        assert_eq!(
            words(&confirm(&shop, &cx(), &["00000001"]).await.unwrap()),
            ["refused"],
            "{status} {body}"
        );
        moved.assert_async().await;
    }
}

#[tokio::test]
async fn a_limited_move_had_no_effect_and_is_sent_again_at_the_known_time() {
    let mut shop = Shop::open().await;
    shop.shows("00000001", &[], 1).await;
    let limited = shop
        .server
        .mock("GET", Matcher::Regex("^/webapi2/upd_order_phase".into()))
        .with_status(429)
        .with_header("retry-after", "3600")
        .expect(1)
        .create_async()
        .await;
    let error = confirm(&shop, &cx(), &["00000001"]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::RateLimited, false));
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3600));
    limited.assert_async().await;
}

#[tokio::test]
async fn after_a_lost_answer_reading_shows_whether_the_order_was_moved() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    shop.shows("00000001", &[("phase_name", "発送待ち")], 2).await;
    shop.has_lines("00000001", 1).await;
    let moved = shop.always("upd_order_phase", 200, MOVED, 0).await;
    let order = known("00000001", OrderStatus::New);
    let read = shop.channel.orders().read(&cx(), &[&order]).await.unwrap();
    let Outcome::Done(read) = &read[0] else { panic!() };
    assert_eq!(read.status, OrderStatus::Confirmed);
    assert_eq!(words(&confirm(&shop, &cx(), &["00000001"]).await.unwrap()), ["already"]);
    moved.assert_async().await;
}

async fn dispatch(shop: &Shop, cx: &Context, number: &str) -> Result<Vec<Outcome<Dispatched>>> {
    let order = known("00000001", OrderStatus::Confirmed);
    let tracking = Tracking::new("yamato", number);
    let request = DispatchRequest::new(&order, Some(&tracking), at("2026-11-24T23:30:00+09:00"));
    shop.channel.dispatch().unwrap().dispatch(cx, &[request]).await
}

const WAITS: (&str, &str) = ("phase_name", "発送待ち");
const NUMBER: (&str, &str) = ("delivery_number", "123");
const YAMATO: (&str, &str) = ("delivery_name", "ヤマト宅急便");
const DATE: (&str, &str) = ("delivery_date", "2026/11/24");

/// The call that writes the number without moving the order.
fn written() -> Vec<(&'static str, &'static str)> {
    vec![
        ("order_number", "00000001"),
        ("after_phase_name", "発送待ち"),
        ("delivery_no", "123"),
        ("delivery_date", "2026-11-24"),
        ("delivery_date_update", "1"),
    ]
}

const TO_SHIPPED: [(&str, &str); 2] = [("order_number", "00000001"), ("after_phase_name", "出荷済")];

#[tokio::test]
async fn a_dispatch_writes_the_number_reads_it_back_and_moves_the_order() {
    let mut shop = Shop::open().await;
    let before = shop.shows("00000001", &[WAITS, ("delivery_name", "佐川急便")], 1).await;
    let after = shop.shows("00000001", &[WAITS, NUMBER, YAMATO, DATE], 1).await;
    let mut query = written();
    query.extend([("delivery_name", "ヤマト宅急便"), ("delivery_time_convert_error", "0")]);
    let number = shop.on("upd_order_phase", &query, MOVED).await;
    let moved = shop.on("upd_order_phase", &TO_SHIPPED, MOVED).await;
    assert_eq!(words(&dispatch(&shop, &cx(), "123").await.unwrap()), ["done"]);
    assert_eq!(shop.channel.dispatch().unwrap().repeat(), Repeat::ReadFirst);
    for mock in [before, after, number, moved] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_carrier_that_the_order_has_already_is_not_written() {
    let mut shop = Shop::open().await;
    shop.shows("00000001", &[WAITS, YAMATO], 1).await;
    shop.shows("00000001", &[WAITS, NUMBER, YAMATO], 1).await;
    let number = shop.on("upd_order_phase", &written(), MOVED).await;
    let moved = shop.on("upd_order_phase", &TO_SHIPPED, MOVED).await;
    assert_eq!(words(&dispatch(&shop, &cx(), " 123 ").await.unwrap()), ["done"]);
    for mock in [number, moved] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_dispatch_that_was_cut_off_after_the_number_only_moves_the_order() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    shop.shows("00000001", &[WAITS, NUMBER, YAMATO, DATE], 2).await;
    shop.has_lines("00000001", 1).await;
    let moved = shop.on("upd_order_phase", &TO_SHIPPED, MOVED).await;
    // The hub reads first: the order must not look as if the parcel had been reported.
    let order = known("00000001", OrderStatus::Confirmed);
    let read = shop.channel.orders().read(&cx(), &[&order]).await.unwrap();
    let Outcome::Done(read) = &read[0] else { panic!() };
    assert_eq!((read.status, read.tracking.len()), (OrderStatus::Confirmed, 0));
    assert_eq!(words(&dispatch(&shop, &cx(), "123").await.unwrap()), ["done"]);
    moved.assert_async().await;
}

#[tokio::test]
async fn an_order_whose_number_was_not_stored_is_not_moved() {
    for kept in [vec![WAITS, YAMATO], vec![WAITS, YAMATO, ("delivery_number", "12")]] {
        let mut shop = Shop::open().await;
        shop.shows("00000001", &[WAITS, YAMATO], 1).await;
        shop.shows("00000001", &kept, 1).await;
        let number = shop.on("upd_order_phase", &written(), MOVED).await;
        let moved = shop.on("upd_order_phase", &TO_SHIPPED, MOVED).await.expect(0);
        let outcomes = dispatch(&shop, &cx(), "123").await.unwrap();
        let [Outcome::Refused(refusal)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert!(refusal.reread && !refusal.temporary, "{refusal:?}");
        number.assert_async().await;
        moved.assert_async().await;
    }
}

#[tokio::test]
async fn an_order_that_somebody_moves_between_the_steps_is_not_moved_again() {
    for (phase, flag, expected) in
        [("出荷済", "0", "already"), ("発送待ち", "2", "refused"), ("謎", "0", "refused for now")]
    {
        let mut shop = Shop::open().await;
        shop.shows("00000001", &[WAITS, YAMATO], 1).await;
        shop.shows("00000001", &[("phase_name", phase), ("cancel_flag", flag), NUMBER, YAMATO], 1).await;
        shop.on("upd_order_phase", &written(), MOVED).await;
        let moved = shop.on("upd_order_phase", &TO_SHIPPED, MOVED).await.expect(0);
        assert_eq!(words(&dispatch(&shop, &cx(), "123").await.unwrap()), [expected]);
        moved.assert_async().await;
    }
}

#[tokio::test]
async fn a_dispatch_that_would_do_it_twice_or_wrongly_sends_nothing_that_changes() {
    for (fields, expected) in [
        (vec![("phase_name", "完了"), NUMBER], "already"),
        (vec![("phase_name", "完了"), ("delivery_number", "9")], "refused"),
        (vec![("phase_name", "完了")], "refused"),
        (vec![WAITS, ("delivery_number", "9")], "refused"),
        (vec![WAITS, ("cancel_flag", "2")], "refused"),
        (vec![WAITS, ("cancel_flag", "1")], "refused for now"),
        (vec![("phase_name", "入金待ち")], "refused for now"),
        (vec![("phase_name", "謎")], "refused for now"),
        (vec![WAITS, ("bundle_ahead_number", "00000009")], "refused"),
    ] {
        let mut shop = Shop::open().await;
        shop.shows("00000001", &fields, 1).await;
        let writes = shop.always("upd_order_phase", 200, MOVED, 0).await;
        assert_eq!(words(&dispatch(&shop, &cx(), "123").await.unwrap()), [expected], "{fields:?}");
        writes.assert_async().await;
    }
    let shop = Shop::open().await;
    assert_eq!(
        words(&dispatch(&shop, &cx(), "  ").await.unwrap()),
        ["refused"],
        "nothing is asked for either"
    );
}

#[tokio::test]
async fn each_call_of_a_dispatch_that_is_lost_leaves_it_open_or_untried() {
    // The first read, the number, the read back, the move.
    for (lost, unknown) in [(0, false), (1, true), (2, true), (3, true)] {
        let mut shop = Shop::open().await;
        let one = [("order_number", "00000001"), ("condition", "0")];
        if lost == 0 {
            shop.always("get_order", 500, "", 2).await;
        } else {
            shop.shows("00000001", &[WAITS, YAMATO], 1).await;
        }
        match lost {
            2 => drop(
                shop.server
                    .mock("GET", format!("/webapi2/get_order?{}", signed(&one)).as_str())
                    .with_status(500)
                    .expect(2)
                    .create_async()
                    .await,
            ),
            _ => drop(shop.shows("00000001", &[WAITS, NUMBER, YAMATO, DATE], 1).await),
        }
        let number = shop.on("upd_order_phase", &written(), if lost == 1 { "" } else { MOVED }).await;
        let moved = shop.on("upd_order_phase", &TO_SHIPPED, "").await;
        let error = dispatch(&shop, &cx(), "123").await.unwrap_err();
        assert_eq!(error.outcome_unknown(), unknown, "call {lost}: {error}");
        assert_eq!(number.matched_async().await, lost >= 1, "call {lost}");
        assert_eq!(moved.matched_async().await, lost == 3, "call {lost}");
    }
}

#[tokio::test]
async fn listings_are_items_with_their_variants_until_an_empty_answer() {
    let mut shop = Shop::with(|config| config.with_page_size(1)).await;
    let mut mocks = vec![
        shop.on("get_item", &[("condition", "1")], sample("get_item")).await,
        shop.on("get_item", &[("item_code", "t-shirt"), ("condition", "1")], NONE).await,
        shop.on("get_item_sku", &[("item_code", "cap")], NONE).await,
    ];
    mocks.push(shop.on("get_item_sku", &[("item_code", "t-shirt")], sample("get_item_sku")).await);
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = shop.channel.listings().unwrap().list(&cx(), cursor.as_ref()).await.unwrap();
        assert!(page.listings.len() <= 2, "an item a page");
        found.extend(page.listings);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let told: Vec<(String, Option<&str>)> =
        found.iter().map(|l| (l.key.to_string(), l.sku.as_ref().map(|sku| sku.as_str()))).collect();
    assert_eq!(
        told,
        [
            ("cap".to_owned(), Some("cap")),
            ("t-shirt/S/BK".to_owned(), Some("TEE-S-BK")),
            ("t-shirt/M%2FL/BK".to_owned(), None),
        ]
    );
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_list_of_items_that_runs_in_a_circle_ends_in_an_error() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let item = |code: &str| envelope("GetItem", &[format!("<item_code>{code}</item_code>")]);
    shop.on("get_item", &[("condition", "1")], item("a")).await;
    shop.on("get_item", &[("item_code", "a"), ("condition", "1")], item("b")).await;
    shop.on("get_item", &[("item_code", "b"), ("condition", "1")], item("a")).await;
    let (mut cursor, mut pages) = (None, 0);
    let error = loop {
        match shop.channel.listings().unwrap().list(&cx(), cursor.as_ref()).await {
            Ok(page) => cursor = page.next,
            Err(error) => break error,
        }
        pages += 1;
        assert!(cursor.is_some() && pages < 10);
    };
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}

#[tokio::test]
async fn the_connection_test_names_what_is_unset_and_unknown_and_proves_the_key() {
    let today = [("condition", "1"), ("order_date_fr", "2026-11-24"), ("order_date_to", "2026-11-24")];
    let mut shop = Shop::open().await;
    let rows = [
        row("00000001", &[("phase_name", "RSL出荷登録待ち")]),
        row("00000002", &[("phase_name", "完了")]),
        row("00000003", &[]),
    ];
    let orders = shop.times("get_order", &today, listing(&rows), 2).await;
    shop.times("get_item", &[("condition", "1")], sample("get_item"), 1).await;
    let report = shop.channel.test(&Context::new()).await.unwrap();
    assert!(report.is_complete());
    assert!(report.capabilities.contains(&(Capability::FetchOrders, CapabilityCheck::Allowed)));
    assert!(report.capabilities.contains(&(Capability::ListListings, CapabilityCheck::Allowed)));
    assert!(report.capabilities.contains(&(Capability::ConfirmOrders, CapabilityCheck::Assumed)));
    let notes = report.notes.join("\n");
    for word in ["confirm_phase", "shipped_phase", "\"RSL出荷登録待ち\"", "\"完了\""] {
        assert!(notes.contains(word), "{notes}");
    }
    assert_eq!(report.notes.len(), 4, "{notes}");

    let mut shop = Shop::open().await;
    shop.on("get_order", &today, listing(&rows)).await;
    shop.on("get_item", &[("condition", "1")], error("契約がありません")).await;
    let report = shop.channel.test(&cx()).await.unwrap();
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
    let items =
        report.capabilities.iter().find(|(capability, _)| *capability == Capability::ListListings).unwrap();
    assert!(matches!(&items.1, CapabilityCheck::Denied { reason } if reason.contains("契約がありません")));
    drop(orders);

    let mut shop = Shop::open().await;
    shop.on("get_order", &today, error("認証エラー")).await;
    assert_eq!(shop.channel.test(&cx()).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_new_key_is_checked_before_it_is_used() {
    let mut shop = Shop::open().await;
    let new = Credentials::new().with("account", "ill").with(AUTH_KEY, "another-key");
    shop.always("get_order", 200, error("認証エラー"), 1).await;
    let renewal = shop.channel.credentials().unwrap();
    assert_eq!(renewal.replace(&cx(), &new).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(renewal.current().await, credentials(), "the old one stays in use");
    shop.server.reset();
    shop.always("get_order", 200, NONE, 1).await;
    let renewal = shop.channel.credentials().unwrap();
    renewal.replace(&cx(), &new).await.unwrap();
    assert_eq!(renewal.current().await, new);
    assert_eq!(renewal.expiry(&cx()).await.unwrap(), None);
    let names: Vec<(&str, bool)> = renewal.parts().iter().map(|part| (part.name, part.renewed)).collect();
    assert_eq!(names, [("account", false), ("auth_key", true)]);
}

#[tokio::test]
async fn bad_answers_to_a_listing() {
    use ErrorKind as K;
    let cut = &sample("get_order")[..1500];
    let table: [(usize, &str, K, bool, usize); 13] = [
        (500, "", K::Unavailable, true, 2),
        (502, "<html>bad gateway</html>", K::Unavailable, true, 2),
        (429, "", K::RateLimited, true, 2),
        (408, "", K::TimedOut, true, 2),
        (200, "", K::MalformedResponse, true, 2),
        (200, "<html><body>login</body></html>", K::MalformedResponse, true, 2),
        (200, "{\"error\":1}", K::MalformedResponse, true, 2),
        (200, cut, K::MalformedResponse, true, 2),
        (400, "", K::Unavailable, false, 1),
        (401, "", K::Unauthorized, false, 1),
        (403, "", K::Forbidden, false, 1),
        (404, "<html>", K::Configuration, false, 1),
        (301, "", K::MalformedResponse, false, 1),
    ];
    for (status, body, kind, temporary, times) in table {
        let mut shop = Shop::open().await;
        let call = shop.always("get_order", status, body, times).await;
        let error = shop.fetch().await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{status} {body}: {error}");
        assert!(!error.outcome_unknown(), "{status} {body}");
        call.assert_async().await;
    }
    // One client prints an answer of the API out of an HTTP error: the answer says more than the status.
    let mut shop = Shop::open().await;
    shop.always("get_order", 400, error("認証エラー"), 1).await;
    assert_eq!(shop.fetch().await.unwrap_err().kind(), K::Unauthorized);
}

#[tokio::test]
async fn a_read_that_fails_is_never_a_refusal_whatever_the_channel_answers() {
    let no = error("受注がありません");
    for (status, body) in [
        (200, no.as_str()),
        (200, "<A/>"),
        (400, ""),
        (404, ""),
        (404, no.as_str()),
        (409, ""),
        (410, ""),
        (500, ""),
    ] {
        let mut shop = Shop::open().await;
        shop.always("get_order", status, body, 1).await.expect_at_most(2);
        let known = known("00000001", OrderStatus::PendingPayment);
        let outcome = match shop.channel.orders().read(&cx(), &[&known]).await {
            Ok(outcomes) => outcomes.into_iter().next().unwrap(),
            Err(error) => Outcome::from_error(&error),
        };
        assert_eq!(word(&outcome), "not tried", "{status} {body}");
    }
}

#[tokio::test]
async fn texts_come_back_as_they_were_written() {
    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    let fields = [
        ("ship_name", "髙橋 🌸 O&apos;Hara &amp; 娘"),
        ("order_memo", "<![CDATA[<急ぎ> & 注意]]>"),
        ("phase_name", "注文確認"),
    ];
    shop.lists(&[row("00000001", &fields)], &[]).await;
    shop.has_lines("00000001", 1).await;
    let rows = shop.fetch().await.unwrap();
    let order = rows[0].order().unwrap();
    assert_eq!(order.destinations[0].recipient.reveal().name, "髙橋 🌸 O'Hara & 娘");
    assert_eq!(order.memo.as_ref().unwrap().reveal(), "<急ぎ> & 注意");
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_error_or_debug_shows_a_key_a_query_or_a_person() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: one that is quiet in the thread of a test beside this one would be quiet here too. What those
    // tests log must show nothing either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut told = String::new();

    // The channel repeats what it was sent, as channels do.
    let mut shop = Shop::open().await;
    let query = page(None, CHANGED);
    let signature = signed(&query).rsplit('=').next().unwrap().to_owned();
    shop.on("get_order", &query, error(&format!("{KEY} {}", signed(&query).replace('&', "&amp;")))).await;
    let error = shop.fetch().await.unwrap_err();
    told.push_str(&format!("{error} {error:?} {:?}", shop.channel));

    let mut shop = Shop::open().await;
    let _variants = shop.has_no_variants().await;
    shop.lists(&[row("00000001", &[]), row("00000002", &[("order_date", "?")])], &[]).await;
    shop.has_lines("00000001", 1).await;
    told.push_str(&format!("{:?}", shop.fetch().await.unwrap()));

    // A server that is not there: the transport's own words.
    let nowhere = Config::new().unwrap().at("http://127.0.0.1:9".parse().unwrap());
    let channel = CrossMall::new(&client(), "shop-1", &credentials(), nowhere).unwrap();
    let order = known("00000001", OrderStatus::New);
    let error = channel.orders().read(&cx(), &[&order]).await.unwrap_err();
    told.push_str(&format!("{error} {error:?}"));

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("fetch_orders"), "something is logged");
    for secret in
        [KEY, signature.as_str(), "signing=", "updated_at_fr=2026", "山田", "taro@example.com", "千代田"]
    {
        assert!(!logged.contains(secret), "the log shows {secret}");
    }
    for secret in [KEY, signature.as_str(), "山田", "taro@example.com", "千代田"] {
        assert!(!told.contains(secret), "an error or Debug shows {secret}: {told}");
    }
}

#[tokio::test]
async fn an_account_can_be_opened_from_the_registry_at_any_host() {
    let mut server = mockito::Server::new_async().await;
    let call = server
        .mock("GET", Matcher::Regex("^/webapi2/get_order\\?account=ill&condition=1&".into()))
        .with_body(NONE)
        .expect(2)
        .create_async()
        .await;
    let adapter = adapters::find("crossmall").unwrap();
    let opening = Opening::new(&client(), "shop-1", credentials()).at(server.url().parse().unwrap());
    let channel = (adapter.open)(&opening).unwrap();
    assert_eq!((adapter.feature, channel.info().id.as_str()), ("crossmall", "crossmall"));
    let (mut cursor, query) = (
        None,
        sales_channels::channel::OrderQuery::window(sales_channels::model::Window::new(at(FROM), at(TO))),
    );
    loop {
        cursor = channel.orders().fetch(&Context::new(), &query, cursor.as_ref()).await.unwrap().next;
        if cursor.is_none() {
            break;
        }
    }
    call.assert_async().await;
    assert!((adapter.open)(&Opening::new(&client(), "shop-1", Credentials::new())).is_err());
}
