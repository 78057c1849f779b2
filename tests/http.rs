//! The HTTP layer: what is repeated and what is not, what a caller is told, and what never gets out.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use sales_channels::channel::{Context, Limit, Operation, Secret};
use sales_channels::http::{
    AccountHttp, BaseUrl, Call, HttpClient, HttpSettings, Nature, Phase, RawResponse, Request, Response,
    SystemRandom, Transport, TransportError, classify_status, expect_json,
};
use sales_channels::model::{ManualClock, SystemClock};
use sales_channels::{Error, ErrorKind, Result, Retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// What the scripted network answers.
#[derive(Debug, Clone)]
enum Answer {
    Status(u16, &'static str, &'static str),
    Headers(u16, Vec<(&'static str, String)>),
    NotSent,
    Cut,
    Never,
    /// Chunks of this many bytes, without an end, and the size announced.
    Endless(usize, Option<u64>),
    CutBody,
}

#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    sent_at: Mutex<Vec<Instant>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, _: Request, _: Duration) -> Result<RawResponse, TransportError> {
        self.sent_at.lock().unwrap().push(Instant::now());
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Status(200, "{}", ""));
        let once = |body: &'static str| {
            futures_util::stream::iter([Ok(Bytes::from_static(body.as_bytes()))]).boxed()
        };
        match answer {
            Answer::Status(status, body, retry_after) => {
                let mut headers = reqwest::header::HeaderMap::new();
                if !retry_after.is_empty() {
                    headers.insert("retry-after", retry_after.parse().unwrap());
                }
                Ok(RawResponse::new(status, headers, Some(body.len() as u64), once(body)))
            }
            Answer::Headers(status, list) => {
                let mut headers = reqwest::header::HeaderMap::new();
                for (name, value) in list {
                    headers.insert(name, value.parse().unwrap());
                }
                Ok(RawResponse::new(status, headers, None, once("")))
            }
            Answer::NotSent => Err(TransportError::new(Phase::NotSent, "connection refused")),
            Answer::Cut => Err(TransportError::new(Phase::Sent, "connection reset")),
            Answer::Never => std::future::pending().await,
            Answer::Endless(size, announced) => {
                let chunk = Bytes::from(vec![b'x'; size]);
                let body = futures_util::stream::repeat_with(move || Ok(chunk.clone())).boxed();
                Ok(RawResponse::new(200, Default::default(), announced, body))
            }
            Answer::CutBody => {
                let parts =
                    [Ok(Bytes::from_static(b"{\"half")), Err(TransportError::new(Phase::Sent, "cut"))];
                Ok(RawResponse::new(
                    200,
                    Default::default(),
                    Some(100),
                    futures_util::stream::iter(parts).boxed(),
                ))
            }
        }
    }
}

struct Net {
    script: Arc<Script>,
    http: AccountHttp,
}

fn net(answers: impl IntoIterator<Item = Answer>) -> Net {
    net_with(answers, &[], HttpSettings::default())
}

fn net_with(answers: impl IntoIterator<Item = Answer>, limits: &[Limit], settings: HttpSettings) -> Net {
    let script = Arc::new(Script::default());
    script.answers.lock().unwrap().extend(answers);
    let transport = Arc::clone(&script) as Arc<dyn Transport>;
    let client =
        HttpClient::with(settings, transport, Arc::new(SystemClock), Arc::new(SystemRandom::seeded(7)));
    Net { http: client.account(&"demo".into(), &"shop".into(), limits), script }
}

impl Net {
    fn sent(&self) -> usize {
        self.script.sent_at.lock().unwrap().len()
    }

    async fn call(&self, nature: Nature) -> Result<Response> {
        self.call_in(nature, Context::new()).await
    }

    async fn call_in(&self, nature: Nature, cx: Context) -> Result<Response> {
        let build = |_: DateTime<Utc>| {
            let url = "https://api.example.com/orders?key=SECRET-IN-QUERY".parse().unwrap();
            Request::get(url).secret_header("authorization", &Secret::new("SECRET-IN-HEADER"))
        };
        let judge = |response: &Response| {
            classify_status(response)?;
            expect_json(response)
        };
        let call = Call { operation: Operation::FetchOrders, nature, build: &build, judge: &judge };
        self.http.send(&cx, call).await
    }
}

/// The ladder of bad answers: kind, whether a read is repeated, whether a write is, and whether its effect is unknown.
#[tokio::test(start_paused = true)]
async fn every_bad_answer_has_its_kind_and_is_repeated_only_where_that_is_safe() {
    use ErrorKind::*;
    let html = "<html>bad gateway</html>";
    #[rustfmt::skip]
    let ladder: &[(&str, Answer, ErrorKind, bool, bool)] = &[
        // name, answer, kind, a read is repeated, a write may have acted
        ("400", Answer::Status(400, "{}", ""), Refused, false, false),
        ("401", Answer::Status(401, "{}", ""), Unauthorized, false, false),
        ("403", Answer::Status(403, "{}", ""), Forbidden, false, false),
        ("404", Answer::Status(404, "{}", ""), NotFound, false, false),
        ("408", Answer::Status(408, "{}", ""), TimedOut, true, true),
        ("409", Answer::Status(409, "{}", ""), Refused, false, false),
        ("429", Answer::Status(429, "{}", ""), RateLimited, true, false),
        ("429 with Retry-After", Answer::Status(429, "{}", "3"), RateLimited, true, false),
        ("500", Answer::Status(500, "{}", ""), Unavailable, true, true),
        ("502 HTML", Answer::Status(502, html, ""), Unavailable, true, true),
        ("503", Answer::Status(503, "{}", "2"), Unavailable, true, true),
        ("504", Answer::Status(504, "{}", ""), Unavailable, true, true),
        ("301", Answer::Headers(301, vec![("location", "https://evil.example".into())]), MalformedResponse, false, false),
        ("200 HTML", Answer::Status(200, html, ""), MalformedResponse, true, true),
        ("200 empty", Answer::Status(200, "", ""), MalformedResponse, true, true),
        ("cut", Answer::Cut, Unavailable, true, true),
        ("cut in the body", Answer::CutBody, Unavailable, true, true),
        ("none", Answer::Never, TimedOut, true, true),
        ("not sent", Answer::NotSent, Unavailable, true, false),
    ];
    for (name, answer, kind, repeated, acted) in ladder {
        for nature in [Nature::Read, Nature::SafeWrite, Nature::UnsafeWrite] {
            // For ever: the error that ends it is looked at.
            let net = net(std::iter::repeat_n(answer.clone(), 20));
            let error = net.call(nature).await.unwrap_err();
            let context = format!("{name}, {nature:?}: {error}");
            assert_eq!(error.kind(), *kind, "{context}");
            let may_repeat = *repeated && (nature != Nature::UnsafeWrite || !acted);
            assert_eq!(net.sent() > 1, may_repeat, "{context}: sent {} times", net.sent());
            assert!(net.sent() <= 4 && error.attempts() as usize == net.sent(), "{context}");
            assert_eq!(error.outcome_unknown(), *acted && nature != Nature::Read, "{context}");
            assert_eq!(error.operation(), Some(Operation::FetchOrders), "{context}");
            // Cured at the second attempt.
            let net = self::net([answer.clone()]);
            assert_eq!(net.call(nature).await.is_ok(), may_repeat, "{context}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_kept_to_the_second() {
    for text in ["7", "7.0", " 7 "] {
        let net = net([Answer::Status(429, "{}", text)]);
        let began = Instant::now();
        net.call(Nature::Read).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_as_a_date_counts_from_the_servers_clock() {
    let server_now: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
    let date = |at: DateTime<Utc>| httpdate::fmt_http_date(at.into());
    let headers =
        vec![("date", date(server_now)), ("retry-after", date(server_now + chrono::TimeDelta::seconds(20)))];
    let net = net([Answer::Headers(429, headers)]);
    let began = Instant::now();
    net.call(Nature::Read).await.unwrap();
    assert!(
        (19..=21).contains(&began.elapsed().as_secs()),
        "our own clock is months off: {:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn ah_3_no_call_sleeps_beyond_its_callers_budget() {
    let net = net([Answer::Status(429, "{}", "600")]);
    let began = Instant::now();
    let error =
        net.call_in(Nature::Read, Context::new().with_budget(Duration::from_secs(10))).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::ZERO, "it does not wait for what it can't reach");
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(600)));
    let net = self::net(std::iter::repeat_n(Answer::Never, 9));
    let began = Instant::now();
    net.call_in(Nature::Read, Context::new().with_budget(Duration::from_secs(10))).await.unwrap_err();
    assert!(began.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn limits_are_kept_evenly_and_a_limited_call_beyond_the_budget_is_not_sent() {
    let limits = [Limit::on_all(3, Duration::from_secs(1))];
    let net = net_with([], &limits, HttpSettings::default());
    for _ in 0..10 {
        net.call(Nature::Read).await.unwrap();
    }
    let sent = net.script.sent_at.lock().unwrap().clone();
    for second in 0..3 {
        let from = sent[0] + Duration::from_secs(second);
        let within = sent.iter().filter(|at| **at >= from && **at < from + Duration::from_secs(1)).count();
        assert!(within <= 3, "{within} calls in second {second}");
    }
    let slow = [Limit::on(&[Operation::FetchOrders], 1, Duration::from_secs(60))];
    let net = net_with([], &slow, HttpSettings::default());
    net.call(Nature::Read).await.unwrap();
    let error =
        net.call_in(Nature::Read, Context::new().with_budget(Duration::from_secs(5))).await.unwrap_err();
    assert_eq!((error.kind(), net.sent()), (ErrorKind::RateLimited, 1));
    assert!(error.retry_after().unwrap() > Duration::from_secs(50));
    assert_eq!(net.http.limits()[0].limit, slow[0], "callers can read the limits");
}

#[tokio::test(start_paused = true)]
async fn a_hold_keeps_the_next_call_back() {
    let net = net([]);
    net.http.hold(Duration::from_secs(9));
    net.http.hold(Duration::from_secs(2));
    let began = Instant::now();
    net.call(Nature::Read).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 9, "the longer one counts");
}

#[tokio::test(start_paused = true)]
async fn repeats_are_at_most_about_a_fifth_of_the_traffic() {
    let net = net(std::iter::repeat_n(Answer::Status(500, "{}", ""), 100_000));
    let mut calls = 0;
    for _ in 0..300 {
        net.call(Nature::Read).await.unwrap_err();
        calls += 1;
    }
    let repeats = net.sent() - calls;
    assert!(repeats <= calls / 5 + 10, "{repeats} repeats of {calls} calls");
    assert!(repeats >= calls / 5);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_never_held() {
    let mut settings = HttpSettings::default();
    settings.max_response_bytes = 1 << 20;
    for announced in [None, Some(100 << 20), Some(10)] {
        let net = net_with([Answer::Endless(64 << 10, announced)], &[], settings.clone());
        let error = net.call(Nature::Read).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        assert!(error.to_string().contains("max_response_bytes"), "{error}");
        assert_eq!(net.sent(), 1, "it would be as large again");
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_and_no_address_gets_into_errors_or_debug() {
    for answer in [Answer::Cut, Answer::NotSent, Answer::Never, Answer::Status(500, "{}", "")] {
        let error = net(std::iter::repeat_n(answer, 9)).call(Nature::Read).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("SECRET") && !text.contains("example.com"), "{text}");
    }
    let url = "https://api.example.com/x?key=SECRET".parse().unwrap();
    let request = Request::post_form(url, [("key", "SECRET")]).header("x", "SECRET").unwrap();
    assert!(!format!("{request:?}").contains("SECRET"));
    let bad = Request::get("https://a.example/".parse().unwrap())
        .secret_header("authorization", &Secret::new("SECRET\n"))
        .unwrap_err();
    assert!(!format!("{bad} {bad:?}").contains("SECRET"));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_named_where_it_may_be_the_cause() {
    let script = Arc::new(Script::default());
    let date = httpdate::fmt_http_date(std::time::SystemTime::from(
        "2026-11-24T01:00:00Z".parse::<DateTime<Utc>>().unwrap(),
    ));
    script.answers.lock().unwrap().push_back(Answer::Headers(401, vec![("date", date)]));
    let clock = Arc::new(ManualClock::at("2026-11-24T00:00:00Z".parse().unwrap()));
    let random = Arc::new(SystemRandom::seeded(1));
    let client = HttpClient::with(HttpSettings::default(), script.clone(), clock, random);
    let net = Net { http: client.account(&"demo".into(), &"shop".into(), &[]), script };
    let error = net.call(Nature::Read).await.unwrap_err();
    assert!(error.to_string().contains("clock is 3600 s behind"), "{error}");
}

#[test]
fn plain_http_goes_to_this_machine_only() {
    for good in ["https://api.example.com", "http://127.0.0.1:1", "http://localhost:1/x", "http://[::1]:9"] {
        good.parse::<BaseUrl>().unwrap();
    }
    for bad in [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://u:p@api.example.com",
        "https://api.example.com/?key=1",
        "not an address",
        "http://localhost.example.com",
    ] {
        let error = bad.parse::<BaseUrl>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
    }
    let base: BaseUrl = "https://api.example.com/v1".parse().unwrap();
    assert!(base.join("//evil.example/x").unwrap().as_str().starts_with("https://api.example.com/v1/"));
}

// ---- over a real socket

/// Serves one connection after another with these bytes, and counts them.
async fn raw_server(answers: Vec<Vec<u8>>) -> (BaseUrl, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            *counted.lock().unwrap() += 1;
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(&answer).await;
        }
    });
    (base, count)
}

async fn get(base: &BaseUrl, nature: Nature) -> Result<Response> {
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let http = client.account(&"demo".into(), &"shop".into(), &[]);
    let url = base.join("x").unwrap();
    let build = move |_: DateTime<Utc>| Ok(Request::get(url.clone()));
    let judge = |response: &Response| classify_status(response);
    http.send(
        &Context::new(),
        Call { operation: Operation::ReadOrders, nature, build: &build, judge: &judge },
    )
    .await
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = raw_server(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()]).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", target.0.url());
    let (base, _) = raw_server(vec![redirect.into_bytes()]).await;
    let error = get(&base, Nature::Read).await.unwrap_err();
    assert!(error.to_string().contains("redirects are not followed"), "{error}");
    assert_eq!(*target.1.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_a_write_unknown_and_is_sent_once() {
    let (base, count) = raw_server(vec![Vec::new(), Vec::new(), Vec::new()]).await;
    let error = get(&base, Nature::UnsafeWrite).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    assert_eq!(*count.lock().unwrap(), 1);
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_body_cut_short_and_a_machine_that_refuses_are_told_apart() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half".to_vec();
    let (base, _) = raw_server(vec![half]).await;
    let error = get(&base, Nature::UnsafeWrite).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed: BaseUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = get(&closed, Nature::UnsafeWrite).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unavailable, false), "{error}");
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind_and_the_next_one_works() {
    let net = net([Answer::Never]);
    {
        tokio::select! {
            biased;
            _ = net.call(Nature::UnsafeWrite) => panic!("it never answers"),
            () = tokio::task::yield_now() => {}
        }
    }
    net.call(Nature::UnsafeWrite).await.unwrap();
    assert_eq!(net.sent(), 2);
}

/// Channels repeat what they were sent, as it was or encoded.
#[tokio::test]
async fn a_secret_that_an_answer_repeats_is_blanked_out_before_anybody_reads_it() {
    let key = Secret::new("AKEY/9+long==");
    let signed_with = Secret::new(" app-secret ");
    let build = |_: DateTime<Utc>| {
        let url = "https://api.example.com/orders".parse().unwrap();
        let bearer = Secret::new(format!("Bearer {}", key.expose()));
        Ok(Request::get(url).secret_header("authorization", &bearer)?.keeping(&signed_with))
    };
    let said = |response: &Response| String::from_utf8_lossy(&response.body).into_owned();
    let judge = |response: &Response| match response.status {
        200 => Ok(()),
        _ => Err(Error::new(ErrorKind::Refused).with_message(said(response))),
    };
    let body =
        r#"{"a":"AKEY/9+long==","b":"AKEY\/9+long==","c":"key=AKEY%2F9%2Blong%3D%3D&x","d":"app-secret."}"#;
    let blank = r#"{"a":"[secret]","b":"[secret]","c":"key=[secret]&x","d":"[secret]."}"#;
    let send = async |status: u16, operation: Operation| {
        let net = net([Answer::Status(status, body, "")]);
        let call = Call { operation, nature: Nature::Read, build: &build, judge: &judge };
        net.http.send(&Context::new(), call).await
    };
    assert_eq!(said(&send(200, Operation::FetchOrders).await.unwrap()), blank);
    for operation in [Operation::FetchOrders, Operation::RenewCredentials] {
        let error = send(409, operation).await.unwrap_err();
        assert_eq!(error.message(), Some(blank), "{operation}");
    }
    // A renewal may answer with a token that stays as it is.
    assert_eq!(said(&send(200, Operation::RenewCredentials).await.unwrap()), body);
}
