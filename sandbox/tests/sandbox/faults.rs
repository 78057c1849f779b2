use std::time::Duration;

use futures_util::StreamExt;
use sales_channels_sandbox::Amount;
use sales_channels_sandbox::fault::{Effect, Fault, FaultRule, Times};
use sales_channels_sandbox::market::{ItemDraft, LineNumber};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{BASE, Shop};

const CONFIRM: &str = "ShippingBasic.SetSellerCheckYN_V2";
/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn confirm(shop: &Shop, line: LineNumber) -> reqwest::Result<reqwest::Response> {
    shop.request(CONFIRM, &[("OrderNo", &line.to_string())]).send().await
}

/// The bytes of a confirm request, to be written by hand.
fn confirm_bytes(line: LineNumber) -> Vec<u8> {
    let body = format!("returnType=json&OrderNo={line}");
    let key = sales_channels_sandbox::faces::qoo10::KEY;
    format!(
        "POST {BASE}/{CONFIRM} HTTP/1.1\r\nHost: x\r\nQAPIVersion: 1.0\r\nGiosisCertificationKey: {key}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn connect(shop: &Shop) -> TcpStream {
    let url = shop.url("");
    TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Waits until something is so; a sandbox on which it never is fails the test in place of stalling it.
async fn eventually(mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// Everything that the server sends until it closes the connection.
async fn until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is a closed connection as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn every_status_of_the_ladder_is_answered_once_and_nothing_is_done() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    for status in [400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504] {
        shop.sandbox.faults().next("qoo10", 1, Fault::status(status));
        let response = confirm(&shop, line).await.unwrap();
        assert_eq!(response.status(), status);
        assert!(response.headers().get("retry-after").is_none());
        let html = response.headers()["content-type"] == "text/html";
        assert_eq!(html, status > 501, "{status}");
        assert_eq!(response.text().await.unwrap().starts_with("<html>"), html);
    }
    assert_eq!(shop.market().confirmations(line), 0);
    assert_eq!(shop.sandbox.counts("qoo10").unwrap()[CONFIRM].handled, 0);
    assert_eq!(confirm(&shop, line).await.unwrap().status(), 200);
    assert_eq!(shop.market().confirmations(line), 1);
    assert_eq!(shop.sandbox.received("qoo10", CONFIRM).unwrap(), 12);
}

#[tokio::test]
async fn retry_after_is_sent_when_asked_for() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::status_with_retry_after(429, 17));
    let response = confirm(&shop, line).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"17".parse().unwrap())
    );
}

#[tokio::test]
async fn a_status_after_handling_hides_a_change_that_was_made() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::status(504).after_handling());
    assert_eq!(confirm(&shop, line).await.unwrap().status(), 504);
    assert_eq!(shop.market().confirmations(line), 1);
}

#[tokio::test]
async fn two_hundreds_can_be_html_empty_or_garbage() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let faults = shop.sandbox.faults();
    for effect in [Effect::Html, Effect::Empty, Effect::Garbage] {
        faults.next("qoo10", 1, Fault::new(effect));
    }
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let response = confirm(&shop, line).await.unwrap();
        assert_eq!(response.status(), 200);
        bodies.push(response.bytes().await.unwrap());
    }
    assert!(bodies[0].starts_with(b"<!DOCTYPE html>"));
    assert!(bodies[1].is_empty());
    assert!(std::str::from_utf8(&bodies[2]).is_err());
    assert_eq!(shop.market().confirmations(line), 0);
}

#[tokio::test]
async fn a_cut_closes_the_connection_without_a_byte_and_nothing_is_done() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::cut());
    let mut stream = connect(&shop).await;
    stream.write_all(&confirm_bytes(line)).await.unwrap();
    assert_eq!(until_closed(stream).await, b"");
    assert_eq!(shop.market().record_of(line).len(), 0);
}

#[tokio::test]
async fn a_lost_response_leaves_the_change_made() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::response_lost());
    let mut stream = connect(&shop).await;
    stream.write_all(&confirm_bytes(line)).await.unwrap();
    assert_eq!(until_closed(stream).await, b"");
    assert_eq!(shop.market().confirmations(line), 1);
}

#[tokio::test]
async fn an_http_client_sees_a_cut_as_a_failed_request() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::cut());
    let error = confirm(&shop, line).await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert_eq!(confirm(&shop, line).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::new(Effect::Truncated));
    let mut stream = connect(&shop).await;
    stream.write_all(&confirm_bytes(line)).await.unwrap();
    let answer = String::from_utf8(until_closed(stream).await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let whole = r#"{"ResultCode":0,"ResultMsg":"SUCCESS"}"#;
    assert!(head.to_lowercase().contains(&format!("content-length: {}", whole.len())), "{head}");
    assert_eq!(body, &whole[..whole.len() / 2]);
    assert_eq!(shop.market().confirmations(line), 1);

    shop.sandbox.faults().next("qoo10", 1, Fault::new(Effect::Truncated));
    let response = confirm(&shop, line).await.unwrap();
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_huge_answer_is_streamed_to_its_last_byte() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let huge = |announced| Fault::new(Effect::Huge { bytes: 20_000_001, announced });
    shop.sandbox.faults().next("qoo10", 1, huge(false));
    let response = confirm(&shop, line).await.unwrap();
    assert_eq!(response.content_length(), None);
    let mut received = 0;
    let mut body = response.bytes_stream();
    while let Some(piece) = body.next().await {
        received += piece.unwrap().len();
    }
    assert_eq!(received, 20_000_001);

    shop.sandbox.faults().next("qoo10", 1, huge(true));
    assert_eq!(confirm(&shop, line).await.unwrap().content_length(), Some(20_000_001));
}

#[tokio::test]
async fn a_slow_answer_comes_whole_in_pieces() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::new(Effect::Slow { pieces: 4, pause_millis: 1 }));
    let response = confirm(&shop, line).await.unwrap();
    assert_eq!(response.text().await.unwrap(), r#"{"ResultCode":0,"ResultMsg":"SUCCESS"}"#);
}

#[tokio::test]
async fn a_delayed_request_is_carried_out_though_the_client_has_gone() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    shop.sandbox.faults().next("qoo10", 1, Fault::delay(30));
    let mut stream = connect(&shop).await;
    stream.write_all(&confirm_bytes(line)).await.unwrap();
    eventually(|| shop.sandbox.received("qoo10", CONFIRM).unwrap() == 1).await;
    drop(stream);
    eventually(|| shop.market().confirmations(line) == 1).await;
}

#[tokio::test]
async fn a_delay_after_handling_holds_the_answer_of_a_change_that_is_made() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    // Longer than any test runs: the answer never comes.
    shop.sandbox.faults().next("qoo10", 1, Fault::delay(3_600_000).after_handling());
    let mut stream = connect(&shop).await;
    stream.write_all(&confirm_bytes(line)).await.unwrap();
    eventually(|| shop.market().confirmations(line) == 1).await;
    let mut byte = [0];
    assert_eq!(stream.try_read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_fault_is_aimed_at_one_operation_and_lets_some_pass() {
    let shop = Shop::open().await;
    let item = shop.list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 5)).to_string();
    let lines = shop.place(3);
    let rule = FaultRule {
        face: Some("qoo10".into()),
        operation: Some(CONFIRM.into()),
        after: 1,
        times: Times::Next(1),
        fault: Fault::status(500),
    };
    shop.sandbox.faults().add(rule).unwrap();
    let mut statuses = Vec::new();
    for line in lines {
        statuses.push(confirm(&shop, line).await.unwrap().status().as_u16());
        assert_eq!(shop.code("ItemsOrder.SetGoodsPriceQty", &[("ItemCode", &item), ("Qty", "1")]).await, 0);
    }
    assert_eq!(statuses, [200, 500, 200]);
    assert!(shop.sandbox.requests("qoo10").unwrap()[2].fault.as_deref().unwrap().contains("500"));
}

#[tokio::test]
async fn faults_by_chance_are_repeated_by_their_seed_and_end_when_cleared() {
    let run = async |seed| {
        let shop = Shop::open().await;
        let line = shop.place(1)[0];
        let times = Times::Chance { probability: 0.5, seed };
        let rule = FaultRule { face: None, operation: None, after: 0, times, fault: Fault::status(503) };
        shop.sandbox.faults().add(rule).unwrap();
        let mut statuses = Vec::new();
        for _ in 0..24 {
            statuses.push(confirm(&shop, line).await.unwrap().status().as_u16());
        }
        shop.sandbox.faults().clear();
        assert_eq!(confirm(&shop, line).await.unwrap().status(), 200);
        statuses
    };
    let first = run(5).await;
    assert_eq!(first, run(5).await);
    assert!(first.contains(&200) && first.contains(&503));
}
