//! A server that answers as CROSS MALL does, and an account that talks to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use md5::{Digest, Md5};
use mockito::{Matcher, Mock, ServerGuard};
use sales_channels::adapters::crossmall::{ACCOUNT, AUTH_KEY, Config, CrossMall};
use sales_channels::channel::{
    Channel, Context, Credentials, OrderPage, OrderQuery, Outcome, PageCursor, Row,
};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::model::{Currency, Line, ListingKey, ManualClock, Order, OrderStatus, Window};
use serde_json::Value;

pub(crate) const KEY: &str = "mXCTpnoA";
pub(crate) const NONE: &str = r#"<GetOrder version="1.0"><ResultSet TotalResult="0"><ResultStatus><GetStatus>success</GetStatus><Message/></ResultStatus></ResultSet></GetOrder>"#;
pub(crate) const MOVED: &str = r#"<UpdOrderPhase version="1.0"><ResultSet TotalResult="0"><ResultStatus><UpdStatus>success</UpdStatus><Message></Message></ResultStatus></ResultSet></UpdOrderPhase>"#;
pub(crate) const FROM: &str = "2026-11-24T10:00:00+09:00";
pub(crate) const TO: &str = "2026-11-24T11:00:00+09:00";

pub(crate) struct Shop {
    pub(crate) server: ServerGuard,
    pub(crate) channel: CrossMall,
}

impl Shop {
    /// Calls are tried twice where they may be.
    pub(crate) async fn open() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let server = mockito::Server::new_async().await;
        let config = change(config(&server));
        let channel = CrossMall::new(&client(), "shop-1", &credentials(), config).unwrap();
        Self { server, channel }
    }

    /// The answer to exactly this call, once.
    pub(crate) async fn on(
        &mut self,
        method: &str,
        query: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
    ) -> Mock {
        self.times(method, query, answer, 1).await
    }

    pub(crate) async fn times(
        &mut self,
        method: &str,
        query: &[(&str, &str)],
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.server
            .mock("GET", format!("/webapi2/{method}?{}", signed(query)).as_str())
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// A method's answer, whatever is asked.
    pub(crate) async fn always(
        &mut self,
        method: &str,
        status: usize,
        answer: impl AsRef<[u8]>,
        times: usize,
    ) -> Mock {
        self.server
            .mock("GET", Matcher::Regex(format!(r"^/webapi2/{method}\?")))
            .with_status(status)
            .with_body(answer)
            .expect(times)
            .create_async()
            .await
    }

    /// One order as it is right now.
    pub(crate) async fn shows(&mut self, number: &str, fields: &[(&str, &str)], times: usize) -> Mock {
        let answer = listing(&[row(number, fields)]);
        self.times("get_order", &[("order_number", number), ("condition", "0")], answer, times).await
    }

    /// The lines of an order: one, of an item that has no variants.
    pub(crate) async fn has_lines(&mut self, number: &str, times: usize) -> Mock {
        let answer = envelope("GetOrderDetail", &[line(number, "1", &[])]);
        self.times("get_order_detail", &[("order_number", number)], answer, times).await
    }

    pub(crate) async fn has_no_variants(&mut self) -> Mock {
        self.always("get_item_sku", 200, NONE, 1).await.expect_at_most(1000)
    }

    /// The first page of each pass, and nothing behind it.
    pub(crate) async fn lists(&mut self, changed: &[String], ordered: &[String]) {
        for (span, rows) in [(CHANGED, changed), (ORDERED, ordered)] {
            self.on("get_order", &page(None, span), listing(rows)).await;
            if let Some(last) = rows.iter().filter_map(|row| field(row, "order_number")).next_back() {
                self.on("get_order", &page(Some(&last), span), NONE).await;
            }
        }
    }

    pub(crate) async fn page(
        &self,
        cx: &Context,
        cursor: Option<&PageCursor>,
    ) -> sales_channels::Result<OrderPage> {
        let query = OrderQuery::window(Window::new(at(FROM), at(TO)));
        self.channel.orders().fetch(cx, &query, cursor).await
    }

    pub(crate) async fn fetch(&self) -> sales_channels::Result<Vec<Row>> {
        let (cx, mut rows, mut cursor) = (cx(), Vec::new(), None);
        for turn in 0.. {
            assert!(turn < 50, "the listing does not end");
            let page = self.page(&cx, cursor.as_ref()).await?;
            rows.extend(page.rows);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(rows)
    }
}

pub(crate) type Span = [(&'static str, &'static str); 2];
pub(crate) const CHANGED: Span =
    [("updated_at_fr", "2026-11-24 09:59:59"), ("updated_at_to", "2026-11-24 11:00:01")];
pub(crate) const ORDERED: Span = [("order_date_fr", "2026-11-24"), ("order_date_to", "2026-11-24")];

/// The query of a page of orders.
pub(crate) fn page(after: Option<&str>, span: Span) -> Vec<(&str, &str)> {
    let after = after.map(|number| ("order_number", number));
    [("condition", "1")].into_iter().chain(after).chain(span).collect()
}

/// Form encoding and signing, written here a second time so that they are not the library's own.
pub(crate) fn signed(query: &[(&str, &str)]) -> String {
    let mut text = "account=ill".to_owned();
    for (name, value) in query {
        text.push_str(&format!("&{name}="));
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                    text.push(byte as char)
                }
                b' ' => text.push('+'),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    let digest: String =
        Md5::digest(format!("{text}{KEY}").as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}&signing={digest}")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new().with(ACCOUNT, "ill").with(AUTH_KEY, KEY)
}

pub(crate) fn client() -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.max_attempts = 2;
    settings.base_pause = Duration::from_millis(1);
    settings.max_pause = Duration::from_millis(2);
    HttpClient::new(settings).unwrap().with_clock(Arc::new(ManualClock::at(at("2026-11-24T12:00:00+09:00"))))
}

pub(crate) fn config(server: &ServerGuard) -> Config {
    Config::new().unwrap().at(server.url().parse().unwrap()).with_calls_per_second(10_000)
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("tests/samples/crossmall/{name}.response.xml")).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// With the merchant's choices.
pub(crate) fn cx() -> Context {
    with(&[
        ("new_phases", "注文確認, 確認待ち"),
        ("unpaid_phases", "入金待ち"),
        ("confirm_phase", "発送待ち"),
        ("shipped_phases", "完了\n返品済"),
        ("shipped_phase", "出荷済"),
        ("cancelled_phases", "取消"),
        ("carriers", "Yamato = ヤマト宅急便"),
    ])
}

pub(crate) fn with(settings: &[(&str, &str)]) -> Context {
    let settings: BTreeMap<String, Value> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
    Context::new().with_settings(Arc::new(settings))
}

pub(crate) fn envelope(root: &str, rows: &[String]) -> String {
    let rows: String =
        rows.iter().enumerate().map(|(n, row)| format!("<Result No='{}'>{row}</Result>\n", n + 1)).collect();
    let count = rows.matches("<Result ").count();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><{root} version="1.0"><ResultSet TotalResult="{count}"><ResultStatus><GetStatus>success</GetStatus><Message></Message></ResultStatus>{rows}</ResultSet></{root}>"#
    )
}

pub(crate) fn listing(rows: &[String]) -> String {
    envelope("GetOrder", rows)
}

pub(crate) fn error(text: &str) -> String {
    format!(
        r#"<GetOrder version="1.0"><ResultSet TotalResult="0"><ResultStatus><GetStatus>error</GetStatus><Message>{text}</Message></ResultStatus></ResultSet></GetOrder>"#
    )
}

fn fields_xml(defaults: &[(&str, &str)], fields: &[(&str, &str)]) -> String {
    let mut all: BTreeMap<&str, &str> = defaults.iter().copied().collect();
    all.extend(fields.iter().copied());
    all.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect()
}

/// The fields of an order; those given replace the usual ones.
pub(crate) fn row(number: &str, fields: &[(&str, &str)]) -> String {
    let defaults = [
        ("order_number", number),
        ("order_date", "2026/11/24 10:03:40"),
        ("order_code", "R-1"),
        ("client_name", "山田 太郎"),
        ("client_mail", "taro@example.com"),
        ("ship_name", "山田 花子"),
        ("ship_zip", "100-0001"),
        ("ship_address1", "東京都千代田区千代田"),
        ("ship_tel", "03-0000-0000"),
        ("total_price", "7210"),
        ("phase_name", "注文確認"),
        ("cancel_flag", "0"),
        ("updated_at", "2026/11/24 10:08:02"),
    ];
    fields_xml(&defaults, fields)
}

/// The fields of a line.
pub(crate) fn line(number: &str, no: &str, fields: &[(&str, &str)]) -> String {
    let defaults = [
        ("order_number", number),
        ("line_no", no),
        ("item_code", "cap"),
        ("item_name", "キャップ"),
        ("amount", "2"),
        ("unit_price", "1980"),
        ("amount_price", "3960"),
    ];
    fields_xml(&defaults, fields)
}

/// A field of a row that was written by [`row`].
pub(crate) fn field(row: &str, name: &str) -> Option<String> {
    let (_, rest) = row.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0.to_owned())
}

/// An order as it would have been fetched.
pub(crate) fn known(number: &str, status: OrderStatus) -> Order {
    let (ordered, updated) = (at("2026-11-24T10:03:40+09:00"), at("2026-11-24T10:08:02+09:00"));
    let mut order = Order::new(number, status, ordered, updated, Currency::JPY);
    order.lines = vec![Line::new("1", ListingKey::item("cap"), 2, status)];
    order
}

/// An outcome in a word.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::AlreadyDone => "already".to_owned(),
        Outcome::Refused(no) if no.temporary => "refused for now".to_owned(),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::NotTried(_) => "not tried".to_owned(),
        Outcome::Unknown(_) => "unknown".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(crate) fn words<T>(outcomes: &[Outcome<T>]) -> Vec<String> {
    outcomes.iter().map(word).collect()
}

/// Unreadable rows: id, reason, raw text.
pub(crate) fn unreadable(rows: &[Row]) -> Vec<(Option<String>, &str, &str)> {
    rows.iter()
        .filter_map(|row| match row {
            Row::Unreadable(row) => {
                Some((row.id.as_ref().map(ToString::to_string), row.reason.as_str(), row.raw.reveal()))
            }
            Row::Order(_) => None,
        })
        .collect()
}

pub(crate) fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(Row::order).map(|order| order.id.as_str()).collect()
}
