//! Where calls come in: the store, the token, limits and scopes, then the operation.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{Failure, Outcome, response};
use super::call::{Query, segments};
use super::fields::Wanted;
use super::settings::{Forbidden, Plan, Settings};
use super::{CLIENT_ID, Ecwid, REDIRECT_URI, STORE_ID, orders, products, profile, search, seller_of, stock};
use crate::market::{Acting, Actor, Market};
use crate::{FaceContext, RequestHead, lock};

/// The face with what it works on.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) face: Ecwid,
    pub(super) context: FaceContext,
}

/// One call that is let in.
pub(super) struct Visit<'a> {
    pub(super) desk: &'a Desk,
    pub(super) settings: &'a Settings,
    pub(super) seller: &'static str,
    pub(super) operation: &'static str,
    pub(super) store: u64,
    pub(super) query: &'a Query,
    pub(super) body: &'a [u8],
}

impl Visit<'_> {
    pub(super) fn market(&self) -> &Market {
        &self.desk.context.market
    }

    pub(super) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "ecwid".to_owned(), operation: self.operation.to_owned() })
    }
}

/// The operation and the scope that it needs, and what its path names: an order, or a product and a variation.
struct Route<'a> {
    operation: &'static str,
    scope: &'static str,
    ids: Vec<&'a str>,
}

/// None where there is no such path, an empty operation where it has no such method.
fn route<'a>(method: &Method, rest: &[&'a str]) -> Option<Route<'a>> {
    let get = method == Method::GET;
    let put = method == Method::PUT;
    let read = |operation, scope| if get { (operation, scope) } else { ("", "") };
    let write = |operation| if put { (operation, "update_catalog") } else { ("", "") };
    let ((operation, scope), ids) = match *rest {
        ["profile"] => (read("profile", "read_store_profile"), vec![]),
        ["profile", "order_statuses"] => (read("order_statuses", "read_store_profile"), vec![]),
        ["orders"] => (read("orders.search", "read_orders"), vec![]),
        ["orders", "last"] => (read("orders.last", "read_orders"), vec![]),
        ["orders", "deleted"] => (read("orders.deleted", "read_orders"), vec![]),
        ["orders", id] if put => (("orders.update", "update_orders"), vec![id]),
        ["orders", id] => (read("orders.get", "read_orders"), vec![id]),
        ["products"] => (read("products.search", "read_catalog"), vec![]),
        ["products", id] if put => (write("products.update"), vec![id]),
        ["products", id] => (read("products.get", "read_catalog"), vec![id]),
        ["products", id, "inventory"] => (write("products.inventory"), vec![id]),
        ["products", id, "combinations"] => (read("combinations.list", "read_catalog"), vec![id]),
        ["products", id, "combinations", option] if put => (write("combinations.update"), vec![id, option]),
        ["products", id, "combinations", option] => {
            (read("combinations.get", "read_catalog"), vec![id, option])
        }
        ["products", id, "combinations", option, "inventory"] => {
            (write("combinations.inventory"), vec![id, option])
        }
        _ => return None,
    };
    Some(Route { operation, scope, ids })
}

/// The name to count by and to aim faults at.
pub(super) fn operation_name(method: &Method, path: &str) -> &'static str {
    let parts = segments(path);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match *parts.as_slice() {
        ["api", "oauth", "authorize"] => "oauth.authorize",
        ["api", "oauth", "token"] => "oauth.token",
        ["api", "v3", _, ref rest @ ..] => {
            let known = route(method, rest).map(|route| route.operation);
            known.filter(|name| !name.is_empty()).unwrap_or("unknown")
        }
        _ => "unknown",
    }
}

impl Desk {
    pub(super) fn answer(&self, head: &RequestHead<'_>, body: &[u8]) -> Response {
        let parts = segments(head.uri.path());
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let query = Query::of(head.uri.query());
        match *parts.as_slice() {
            ["api", "oauth", "authorize"] if head.method == Method::GET => self.authorize(&query),
            ["api", "oauth", "token"] if head.method == Method::GET => {
                response(lock(&self.face.0.tokens).exchange(&query))
            }
            ["api", "v3", store, ref rest @ ..] => response(self.handle(head, store, rest, &query, body)),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn handle(
        &self,
        head: &RequestHead<'_>,
        store: &str,
        rest: &[&str],
        query: &Query,
        body: &[u8],
    ) -> Outcome {
        let settings = self.face.settings();
        let found = store.parse().ok().and_then(|id| seller_of(id).map(|seller| (id, seller)));
        let (store, seller) =
            found.ok_or_else(|| Failure::not_found("STORE_NOT_FOUND", "Store not found"))?;
        let token = self.let_in(head.headers, query, store, &settings)?;
        let route = route(head.method, rest)
            .ok_or_else(|| Failure::not_found("WRONG_URL", "There is nothing at this address"))?;
        if route.operation.is_empty() {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Failure::new(status, "METHOD_NOT_ALLOWED", "This method is not allowed here"));
        }
        if !lock(&self.face.0.tokens).has_scope(&token, route.scope) {
            let text = format!("The app has no access scope {}", route.scope);
            return Err(Failure::new(StatusCode::FORBIDDEN, "INSUFFICIENT_APP_SCOPE", text));
        }
        if head.method == Method::PUT && !is_json(head.headers) {
            return Err(Failure::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let operation = route.operation;
        let visit = Visit { desk: self, settings: &settings, seller, operation, store, query, body };
        let wanted = query.text("responseFields").map(Wanted::read).transpose()?;
        let answer = carry_out(&visit, &route)?;
        Ok(match wanted {
            Some(wanted) => wanted.of(answer),
            None => answer,
        })
    }

    /// The token, if it is one of the store's and is let through.
    fn let_in(
        &self,
        headers: &HeaderMap,
        query: &Query,
        store: u64,
        settings: &Settings,
    ) -> Result<String, Failure> {
        let mut tokens = lock(&self.face.0.tokens);
        let token = bearer(headers).or_else(|| query.text("token").filter(|_| settings.query_tokens));
        let Some(token) = token.filter(|token| tokens.is_of(token, store)) else {
            return Err(match settings.forbidden {
                Forbidden::Empty => Failure::empty(StatusCode::FORBIDDEN),
                Forbidden::Documented => {
                    Failure::new(StatusCode::FORBIDDEN, "INVALID_API_TOKEN", "The token is not valid")
                }
            });
        };
        if let Some(limit) = settings.limit {
            tokens.count(token, limit, self.context.clock.now())?;
        }
        let unpaid = |code, text: &str| Err(Failure::new(StatusCode::PAYMENT_REQUIRED, code, text));
        match settings.plan {
            Plan::Paid => Ok(token.to_owned()),
            Plan::Free => unpaid("NOT_AVAILABLE_ON_CURRENT_PLAN", "The plan does not have the API"),
            Plan::Suspended => unpaid("STORE_IS_SUSPENDED", "The store is suspended"),
        }
    }

    /// The merchant always agrees.
    fn authorize(&self, query: &Query) -> Response {
        let is = |name, wanted| query.text(name) == Some(wanted);
        let asked = query.text("scope").filter(|_| {
            is("client_id", CLIENT_ID) && is("redirect_uri", REDIRECT_URI) && is("response_type", "code")
        });
        let Some(scope) = asked else {
            return response(Err(Failure::new(StatusCode::BAD_REQUEST, "OAUTH", "invalid_request")));
        };
        let code = lock(&self.face.0.tokens).authorize(STORE_ID, scope);
        match HeaderValue::try_from(format!("{REDIRECT_URI}?code={code}")) {
            Ok(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    }
}

fn carry_out(visit: &Visit<'_>, route: &Route<'_>) -> Outcome {
    match (route.operation, route.ids.as_slice()) {
        ("profile", _) => Ok(profile::store(visit)),
        ("order_statuses", _) => Ok(profile::order_statuses()),
        ("orders.search", _) => search::search(visit),
        ("orders.last", _) => orders::last(visit),
        ("orders.deleted", _) => search::deleted(visit),
        ("orders.get", [id]) => orders::get(visit, id),
        ("orders.update", [id]) => orders::update(visit, id),
        ("products.search", _) => products::search(visit),
        ("products.get", [id]) => products::get(visit, id),
        ("combinations.list", [id]) => products::variations(visit, id),
        ("combinations.get", [id, option]) => products::variation(visit, id, option),
        ("products.update", [id]) => stock::set(visit, id, None),
        ("combinations.update", [id, option]) => stock::set(visit, id, Some(option)),
        ("products.inventory", [id]) => stock::shift(visit, id, None),
        ("combinations.inventory", [id, option]) => stock::shift(visit, id, Some(option)),
        _ => Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "no such operation")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
