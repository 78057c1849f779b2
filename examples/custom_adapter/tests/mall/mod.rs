//! Tanuki Mall's server, and the harness over it.
// A test server may fail loudly. Each test binary uses its own part of it.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Asia::Tokyo;
use encoding_rs::SHIFT_JIS;
use quick_xml::escape::escape;
use sales_channels::channel::{Channel, Credentials};
use sales_channels::conformance::{
    Arranged, Change, Connection, ErrorAnswer, Harness, ListingKind, ListingWish, Login, NotArranged,
    OrderWish, SeenDispatch,
};
use sales_channels::http::HttpClient;
use sales_channels::model::{ListingKey, OrderId};
use serde::Deserialize;
use tanuki_mall::{KEY, TanukiMall};

struct Sold {
    wish: OrderWish,
    status: &'static str,
    cancel: &'static str,
    sent: Vec<u32>,
    parcels: Vec<(String, String, u32)>,
}

#[derive(Default)]
struct Books {
    orders: Vec<Sold>,
    items: Vec<(ListingWish, u32)>,
    changes: u64,
    /// Queries of the lists that were asked for.
    asked: Vec<String>,
}

#[derive(Deserialize)]
struct Shipment {
    #[serde(rename = "@carrier")]
    carrier: String,
    #[serde(rename = "@number")]
    number: String,
    line: Vec<ShipmentLine>,
}

#[derive(Deserialize)]
struct ShipmentLine {
    #[serde(rename = "@no")]
    no: usize,
    #[serde(rename = "@quantity")]
    quantity: u32,
}

fn local(at: DateTime<Utc>) -> String {
    at.with_timezone(&Tokyo).format("%Y%m%d%H%M%S").to_string()
}

impl Books {
    /// An order. A gift is held where the query says so.
    fn row(&self, n: usize, query: &HashMap<String, String>) -> String {
        let (sold, wish) = (&self.orders[n], &self.orders[n].wish);
        let (person, paid) = (&wish.person, wish.paid_at.map(local).unwrap_or_default());
        let items: String = wish
            .lines
            .iter()
            .zip(&sold.sent)
            .map(|(line, sent)| {
                format!(
                    r#"<item code="{}" sku="{}" title="{}" quantity="{}" sent="{sent}" price="{}"/>"#,
                    line.listing.as_ref().map_or("0", |key| &key.item),
                    line.sku,
                    escape(&line.title),
                    line.quantity,
                    line.unit_price
                )
            })
            .collect();
        let parcels: String = sold
            .parcels
            .iter()
            .map(|(carrier, number, _)| {
                format!(r#"<parcel carrier="{}" number="{}"/>"#, escape(carrier), escape(number))
            })
            .collect();
        format!(
            r#"<order id="{}" status="{}" cancel="{}" held="{}" ordered="{}" paid="{paid}"><to name="{}" phone="{}" mail="{}" zip="{}" street="{}" message="{}"/>{items}{parcels}</order>"#,
            n + 1,
            sold.status,
            sold.cancel,
            u8::from(wish.message.contains("gift") && query.get("gifts").is_some_and(|g| g == "hold")),
            local(wish.ordered_at),
            escape(&person.name),
            person.phone,
            person.email,
            person.postal_code,
            escape(&person.street),
            escape(&wish.message)
        )
    }

    fn list(&self, query: &HashMap<String, String>) -> Option<String> {
        let time = |name: &str| {
            let local = NaiveDateTime::parse_from_str(query.get(name)?, "%Y%m%d%H%M%S").ok()?;
            Some(Tokyo.from_local_datetime(&local).single()?.with_timezone(&Utc))
        };
        let (from, to) = (time("from")?, time("to")?);
        let (page, size): (usize, usize) =
            (query.get("page")?.parse().ok()?, query.get("size")?.parse().ok()?);
        let at = |n: &usize| self.orders[*n].wish.paid_at.unwrap_or(self.orders[*n].wish.ordered_at);
        let mut found: Vec<usize> = (0..self.orders.len()).filter(|n| from <= at(n) && at(n) <= to).collect();
        found.sort_by_key(|n| (at(n), *n));
        let pages = found.len().div_ceil(size).max(1);
        let rows: String = found
            .chunks(size)
            .nth(page - 1)
            .unwrap_or_default()
            .iter()
            .map(|n| self.row(*n, query))
            .collect();
        Some(format!(r#"<orders page="{page}" pages="{pages}">{rows}</orders>"#))
    }

    fn ship(&mut self, n: usize, body: &str) -> Option<String> {
        let shipment: Shipment = quick_xml::de::from_str(body).ok()?;
        let sold = self.orders.get_mut(n)?;
        let left = |no: usize| Some(sold.wish.lines.get(no - 1)?.quantity - sold.sent[no - 1]);
        let fits = shipment
            .line
            .iter()
            .all(|line| left(line.no).is_some_and(|left| (1..=left).contains(&line.quantity)));
        if sold.status != "paid" || !fits || shipment.line.is_empty() {
            return Some(error("S1", "nothing of this is left to be sent"));
        }
        for line in &shipment.line {
            sold.sent[line.no - 1] += line.quantity;
        }
        sold.parcels.push((
            shipment.carrier,
            shipment.number,
            shipment.line.iter().map(|line| line.quantity).sum(),
        ));
        if sold.wish.lines.iter().zip(&sold.sent).all(|(line, sent)| line.quantity == *sent) {
            sold.status = "sent";
        }
        self.changes += 1;
        Some("<done/>".to_owned())
    }

    fn stock(&mut self, n: usize, body: &str) -> String {
        let Some((_, quantity)) = n.checked_sub(1).and_then(|n| self.items.get_mut(n)) else {
            return error("I1", "no such item");
        };
        if let Some(new) = body.split('"').nth(1) {
            *quantity = new.parse().unwrap();
            self.changes += 1;
        }
        format!(r#"<stock quantity="{quantity}"/>"#)
    }
}

fn error(code: &str, text: &str) -> String {
    format!(r#"<error code="{code}" text="{}"/>"#, escape(text))
}

async fn answer(
    State(books): State<Arc<Mutex<Books>>>,
    (method, uri, Query(query)): (Method, Uri, Query<HashMap<String, String>>),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut books = books.lock().unwrap();
    let body = SHIFT_JIS.decode(&body).0;
    let parts: Vec<&str> = uri.path().split('/').skip(1).collect();
    let id = parts.get(2).and_then(|id| id.parse::<usize>().ok()).unwrap_or(0);
    books.asked.extend(uri.query().map(str::to_owned));
    let found = match headers.get("x-tanuki-key").map(|key| key.as_bytes()) {
        Some(b"tanuki-good-key") => match (&method, parts.as_slice()) {
            (&Method::GET, ["api", "orders"]) => books.list(&query),
            (&Method::GET, ["api", "orders", _]) => {
                let known = (1..=books.orders.len()).contains(&id);
                let row = if known { books.row(id - 1, &query) } else { String::new() };
                Some(format!(r#"<orders page="1" pages="1">{row}</orders>"#))
            }
            (&Method::POST, ["api", "orders", _, "shipment"]) => books.ship(id.wrapping_sub(1), &body),
            (_, ["api", "items", _, "stock"]) => Some(books.stock(id, &body)),
            _ => None,
        },
        Some(b"tanuki-old-key") => Some(error("K2", "the key has ended")),
        _ => Some(error("K1", "no such key")),
    };
    let Some(xml) = found else { return StatusCode::NOT_FOUND.into_response() };
    // What Shift_JIS does not have goes as &#12345; by itself.
    SHIFT_JIS
        .encode(&format!(r#"<?xml version="1.0" encoding="Shift_JIS"?>{xml}"#))
        .0
        .into_owned()
        .into_response()
}

/// A mall with its server.
pub struct Mall {
    books: Arc<Mutex<Books>>,
    base: String,
}

impl Mall {
    pub async fn open() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&books));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { books, base }
    }

    /// The queries of the lists that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.books.lock().unwrap().asked.clone()
    }

    fn with<T>(&self, order: &OrderId, look: impl FnOnce(&mut Sold) -> T) -> T {
        look(&mut self.books.lock().unwrap().orders[order.as_str().parse::<usize>().unwrap() - 1])
    }
}

#[async_trait]
impl Harness for Mall {
    async fn connect(&self, client: &HttpClient, with: Connection) -> Arranged<Arc<dyn Channel>> {
        let key = match with.login {
            Login::Good => "tanuki-good-key",
            Login::Wrong => "tanuki-no-key",
            Login::Expired => "tanuki-old-key",
        };
        let credentials = Credentials::new().with(KEY, key);
        let base = self.base.parse()?;
        Ok(Arc::new(TanukiMall::new(client, "shop", &credentials, base, with.page_size.unwrap_or(50))?))
    }

    fn now(&self) -> DateTime<Utc> {
        "2026-11-24T01:00:00Z".parse().unwrap()
    }

    fn changes(&self) -> u64 {
        self.books.lock().unwrap().changes
    }

    fn secrets(&self) -> Vec<String> {
        ["tanuki-good-key", "tanuki-no-key", "tanuki-old-key"].map(str::to_owned).to_vec()
    }

    async fn place(&self, wish: OrderWish) -> Arranged<Vec<OrderId>> {
        let orders = &mut self.books.lock().unwrap().orders;
        let status = if wish.paid_at.is_some() { "paid" } else { "unpaid" };
        let sent = vec![0; wish.lines.len()];
        orders.push(Sold { wish, status, cancel: "", sent, parcels: Vec::new() });
        Ok(vec![OrderId::from(orders.len().to_string())])
    }

    async fn change(&self, order: &OrderId, change: Change) -> Arranged<()> {
        self.with(order, |sold| {
            match change {
                Change::Pay => (sold.status, sold.wish.paid_at) = ("paid", Some(sold.wish.ordered_at)),
                Change::Ship => {
                    sold.status = "sent";
                    sold.sent = sold.wish.lines.iter().map(|line| line.quantity).collect();
                }
                Change::Deliver => sold.status = "arrived",
                Change::Cancel => sold.status = "cancelled",
                Change::AskCancel => sold.cancel = "asked",
                Change::TakeCancelBack => sold.cancel = "",
                _ => return Err(NotArranged::because("nothing is confirmed at the mall")),
            }
            Ok(())
        })
    }

    async fn list(&self, wish: ListingWish) -> Arranged<ListingKey> {
        if wish.kind == ListingKind::Option {
            return Err(NotArranged::because("items of the mall have no options"));
        }
        let items = &mut self.books.lock().unwrap().items;
        let quantity = wish.quantity;
        items.push((wish, quantity));
        Ok(ListingKey::item(items.len().to_string()))
    }

    async fn dispatches(&self, order: &OrderId) -> Arranged<Vec<SeenDispatch>> {
        let seen = |sold: &mut Sold| {
            sold.parcels.iter().map(|(_, number, n)| SeenDispatch::new(number, *n)).collect()
        };
        Ok(self.with(order, seen))
    }

    async fn quantity(&self, listing: &ListingKey) -> Arranged<u32> {
        Ok(self.books.lock().unwrap().items[listing.item.parse::<usize>().unwrap() - 1].1)
    }

    async fn listing_facts(&self, listing: &ListingKey) -> Arranged<String> {
        Ok(format!("{:?}", self.books.lock().unwrap().items[listing.item.parse::<usize>().unwrap() - 1].0))
    }

    fn error_answer(&self, text: &str) -> Arranged<ErrorAnswer> {
        Ok(ErrorAnswer::new("application/xml", SHIFT_JIS.encode(&error("X1", text)).0.into_owned()))
    }

    fn spoil(&self, answer: &[u8], order: &OrderId, _raw: &str) -> Option<Vec<u8>> {
        let row = format!(r#"<order id="{order}""#).into_bytes();
        let at = answer.windows(row.len()).position(|part| part == row)?;
        let mut spoilt = answer.to_vec();
        spoilt[at + 7..at + 9].copy_from_slice(b"no");
        Some(spoilt)
    }
}
