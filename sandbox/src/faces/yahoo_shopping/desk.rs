//! The methods by name, and the checks that all of them share (document, "Errors" and "Limits").

use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};

use super::answer::{Failure, Outcome};
use super::call::Call;
use super::key::AUTHORIZED;
use super::ledger::Ledger;
use super::settings::{Gateway, Settings};
use super::times::day_of;
use super::view::View;
use super::{CLIENT_ID, STORES, YahooShopping, changing, listings, reading, shipping, stock};
use crate::faces::xml::Tree;
use crate::market::{Acting, Actor, Order, OrderNumber};
use crate::{FaceContext, Market, RequestHead, lock};

/// What kind of call a method is: how it is sent, how it names the store, and how it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// POST, XML, `SellerId`.
    Order,
    /// GET, `sellerId`.
    OrderQuery,
    /// POST, a form, `seller_id`.
    Stock,
    /// GET, `seller_id`.
    Item,
}

type Run = fn(&Visit<'_>, &mut Ledger) -> Outcome;

struct Operation {
    name: &'static str,
    kind: Kind,
    /// Whether it stops without a good signature, 12 hours after the consent.
    needs_signature: bool,
    run: Run,
}

const fn operation(name: &'static str, kind: Kind, needs_signature: bool, run: Run) -> Operation {
    Operation { name, kind, needs_signature, run }
}

const OPERATIONS: [Operation; 13] = [
    operation("orderList", Kind::Order, true, reading::list),
    operation("orderInfo", Kind::Order, true, reading::info),
    operation("orderChange", Kind::Order, true, changing::change),
    operation("orderStatusChange", Kind::Order, false, changing::status),
    operation("orderShipStatusChange", Kind::Order, false, shipping::change),
    operation("orderSplit", Kind::Order, false, changing::split),
    operation("orderCount", Kind::OrderQuery, false, reading::count),
    operation("orderChangeHistory", Kind::OrderQuery, false, reading::history),
    operation("getStock", Kind::Stock, false, stock::get),
    operation("setStock", Kind::Stock, false, stock::set),
    operation("stCategoryList", Kind::Item, false, listings::categories),
    operation("myItemList", Kind::Item, false, listings::list),
    operation("getItem", Kind::Item, false, listings::one),
];

const TOKEN: &str = "/yconnect/v2/token";
const PAGE: &str = "/yconnect/v2/authorization";

const SCOPE: &str = "Bearer realm=\"yahooapis.jp\", error=\"insufficient_scope\"";

/// The name of the operation at a path.
pub(super) fn operation_name(path: &str) -> &'static str {
    match path {
        TOKEN => "token",
        PAGE => "authorization",
        path => find(path).map_or("unknown", |operation| operation.name),
    }
}

fn find(path: &str) -> Option<&'static Operation> {
    let name = Call::method_name(path)?;
    OPERATIONS.iter().find(|operation| operation.name == name)
}

/// Calls of one method: when it was called last, and until when it is locked.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last_second: i64,
    locked_until: i64,
}

/// Calls of a day in Japan.
#[derive(Debug, Default)]
pub(super) struct DayCount {
    day: NaiveDate,
    used: u32,
}

/// The face at work.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) face: YahooShopping,
    pub(super) context: FaceContext,
    pub(super) started_at: DateTime<Utc>,
}

/// One call of one store.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) call: &'a Call<'a>,
    pub(super) store: String,
    pub(super) settings: Settings,
    pub(super) now: DateTime<Utc>,
    /// When all items were listed.
    pub(super) listed_at: DateTime<Utc>,
    operation: &'static str,
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        let call = Call::parse(head, body);
        let now = self.context.clock.now();
        let settings = self.face.settings();
        match (call.path, call.method) {
            (TOKEN, &Method::POST) => {
                lock(&self.face.0.tokens).token(&call, settings.same_refresh_token, now)
            }
            (PAGE, &Method::GET) => lock(&self.face.0.tokens).page(&call, now),
            (TOKEN | PAGE, _) => StatusCode::METHOD_NOT_ALLOWED.into_response(),
            (path, _) if Call::method_name(path).is_none() => StatusCode::NOT_FOUND.into_response(),
            _ => self.method(&call, settings, now),
        }
    }

    fn method(&self, call: &Call<'_>, settings: Settings, now: DateTime<Utc>) -> Response {
        let Some(operation) = find(call.path) else { return Failure::no_such_method().into_response() };
        let is_get = matches!(operation.kind, Kind::OrderQuery | Kind::Item);
        if (*call.method == Method::GET) != is_get || !matches!(*call.method, Method::GET | Method::POST) {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let mut signed = None;
        let answer = match self.serve(operation, call, settings, now, &mut signed) {
            Ok(done) => done.into_response(),
            Err(failure) => failure.into_response(),
        };
        with_status(answer, signed)
    }

    fn serve(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        settings: Settings,
        now: DateTime<Utc>,
        signed: &mut Option<&'static str>,
    ) -> Outcome {
        let consent = lock(&self.face.0.tokens).consent(call.bearer, now).map_err(Failure::bad_token)?;
        if consent.client != CLIENT_ID {
            return Err(Failure::bad_token(SCOPE));
        }
        if consent.is_withdrawn {
            return Err(Failure::forbidden("px-04307", "Use of API is not permitted."));
        }
        let status = lock(&self.face.0.keys).status(
            &consent.store,
            call.signature,
            call.signature_version,
            settings.signature_seconds,
            now,
        );
        if operation.needs_signature {
            *signed = Some(status);
        }
        // Others than the three live as long as the consent.
        let is_signed = status == AUTHORIZED || !operation.needs_signature;
        if !consent.allows_orders(is_signed, now) {
            return Err(Failure::session_over());
        }
        self.check_gateway(operation, &settings)?;
        self.check_limits(operation, &settings, now)?;
        let sent = sent_store(operation.kind, call)?;
        check_store(operation.kind, &sent, &consent.store)?;
        if settings.trouble {
            return Err(trouble(operation.kind));
        }
        let visit = Visit {
            desk: self,
            call,
            store: consent.store,
            settings,
            now,
            listed_at: self.started_at,
            operation: operation.name,
        };
        let mut ledger = lock(&self.face.0.ledger);
        changing::settle(self, &mut ledger, &visit.settings, now);
        (operation.run)(&visit, &mut ledger)
    }

    /// Only the order API needs an approval and a registered address.
    fn check_gateway(&self, operation: &Operation, settings: &Settings) -> Result<(), Failure> {
        if !matches!(operation.kind, Kind::Order | Kind::OrderQuery) {
            return Ok(());
        }
        match settings.gateway {
            Gateway::Open => Ok(()),
            Gateway::NotApproved => Err(Failure::forbidden("px-04303", "This Client ID is not approved.")),
            Gateway::AddressRefused => {
                Err(Failure::forbidden("px-04306", "This IP address is not permitted."))
            }
        }
    }

    fn check_limits(
        &self,
        operation: &Operation,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        if !settings.limits {
            return Ok(());
        }
        let mut count = lock(&self.face.0.day);
        let today = day_of(now);
        if count.day != today {
            (count.day, count.used) = (today, 0);
        }
        count.used = count.used.saturating_add(1);
        if count.used > settings.calls_per_day {
            return Err(Failure::without_code(StatusCode::FORBIDDEN, "Your Request was Forbidden"));
        }
        let mut paces = lock(&self.face.0.paces);
        let pace = paces.entry(operation.name).or_default();
        let second = now.timestamp();
        let is_too_fast = second < pace.locked_until || second == pace.last_second;
        if second == pace.last_second {
            pace.locked_until = second + i64::from(settings.lock_seconds);
        }
        pace.last_second = second;
        if is_too_fast {
            return Err(Failure::without_code(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
        }
        Ok(())
    }
}

fn with_status(mut answer: Response, signed: Option<&'static str>) -> Response {
    if let Some(status) = signed {
        answer.headers_mut().insert("x-sws-authorize-status", HeaderValue::from_static(status));
    }
    answer
}

fn sent_store(kind: Kind, call: &Call<'_>) -> Result<String, Failure> {
    let missing = match kind {
        Kind::Order | Kind::OrderQuery => {
            Failure::new(StatusCode::BAD_REQUEST, "px-04001", "seller_id is required.")
        }
        Kind::Stock => Failure::on_items(StatusCode::BAD_REQUEST, "st-02100", "seller_id is required"),
        Kind::Item => Failure::on_items(StatusCode::BAD_REQUEST, "ed-00003", "seller_id is required"),
    };
    let sent = match kind {
        Kind::Order => call.xml().and_then(|request| request.text_at(&["SellerId"]).map(str::to_owned)),
        Kind::OrderQuery => call.param("sellerId").map(str::to_owned),
        Kind::Stock | Kind::Item => call.param("seller_id").map(str::to_owned),
    };
    sent.ok_or(missing)
}

fn check_store(kind: Kind, sent: &str, own: &str) -> Result<(), Failure> {
    if sent == own {
        return Ok(());
    }
    let bad = |code, text| Err(Failure::on_items(StatusCode::BAD_REQUEST, code, text));
    let is_well_formed =
        sent.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    match kind {
        Kind::Item if !is_well_formed => bad("ed-00005", "seller_id is malformed"),
        Kind::Stock if !is_well_formed => bad("st-02100", "seller_id is malformed"),
        _ if STORES.contains(&sent) => {
            Err(Failure::forbidden("px-14303", "This ID does not belong to the store account."))
        }
        Kind::Item => bad("ed-00004", "seller_id is unknown"),
        _ => Err(Failure::forbidden("px-14304", "This store account is not permitted.")),
    }
}

fn trouble(kind: Kind) -> Failure {
    match kind {
        Kind::Order | Kind::OrderQuery => {
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "od91001", "System Error")
        }
        Kind::Stock => Failure::on_items(StatusCode::SERVICE_UNAVAILABLE, "st-02000", "maintenance"),
        Kind::Item => Failure::on_items(StatusCode::INTERNAL_SERVER_ERROR, "ed-00001", "system error"),
    }
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "yahoo_shopping".into(), operation: self.operation.into() })
    }

    pub(super) fn xml(&self) -> Result<Tree, Failure> {
        self.call.xml().ok_or_else(|| Failure::parameter("Req"))
    }

    /// The store's order behind an id.
    ///
    /// # Errors
    /// od91801.
    pub(super) fn order(&self, id: &str) -> Result<Order, Failure> {
        let number = id.strip_prefix(&self.store).and_then(|rest| rest.strip_prefix('-'));
        let number: Option<OrderNumber> = number.and_then(|text| text.parse().ok());
        let order = number.and_then(|number| self.market().order(number));
        order.filter(|order| order.seller == self.store).ok_or_else(|| Failure::no_such_order(id))
    }

    pub(super) fn view<'v>(&'v self, order: &'v Order, ledger: &'v Ledger) -> View<'v> {
        View::new(order, ledger.slip_ref(order.number), &self.settings, self.now)
    }

    /// Whether the next row that is set can't be read back.
    pub(super) fn take_unreadable(&self) -> bool {
        let mut settings = lock(&self.desk.face.0.settings);
        let is_next = settings.unreadable_rows > 0;
        settings.unreadable_rows = settings.unreadable_rows.saturating_sub(1);
        is_next
    }
}
