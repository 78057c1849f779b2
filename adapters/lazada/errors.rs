//! The calls of the API, and what their answers mean: a table of codes (sheet 7; the code lists in the reference of each
//! call). Failures come with HTTP 200.

use std::time::Duration;

use serde::Deserialize;

use crate::channel::{Outcome, Refusal};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::{Text, body_text, object};

use super::wire::Envelope;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Seller,
    Orders,
    Order,
    Items,
    ItemsOfOrder,
    Reverses,
    Providers,
    Pack,
    ReadyToShip,
    Document,
    Products,
    Product,
    SetStock,
    Validate,
    Cancel,
    Decide,
}

impl Endpoint {
    fn changes(self) -> bool {
        matches!(self, Self::Pack | Self::ReadyToShip | Self::SetStock | Self::Cancel | Self::Decide)
    }

    /// Reads that are about one thing the caller named: a definite no is about that thing alone.
    fn looks_up(self) -> bool {
        matches!(self, Self::Providers | Self::Document | Self::Validate)
    }
}

/// The seller is of a kind that may not make this call (its orders are run by Lazada).
pub(super) const MP3_LIMIT: &str = "Mp3SellerApiLimit";
/// Several fields of a product update failed; `detail` says which.
const UPDATE_FAILED: &str = "501";

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that code and status stand for, with the channel's code, its text and the request's id.
pub(super) fn judge(endpoint: Endpoint, response: &Response) -> Result<()> {
    let body = body_text(&response.body);
    if let Ok(envelope) = Envelope::read(&body) {
        let failed = if envelope.is_success() { envelope.failed_result() } else { None };
        let told = match &failed {
            // Of these calls the reference says that a whole batch was unsuccessful then: nothing was done.
            Some(row) => Some((row.error_code.trim(), "ISV", row.error_msg.trim().to_owned())),
            None if envelope.is_success() => None,
            None => Some((
                envelope.code.trim(),
                envelope.kind.trim(),
                words(&envelope.details(), &envelope.message),
            )),
        };
        if let Some((code, kind, said)) = told {
            let verdict = verdict(endpoint, response.status, code, kind, &said);
            let error = verdict.error(code, &said, &envelope.request_id);
            return Err(match (error.retry(), response.retry_after()) {
                (Retry::Later, Some(delay)) => error.with_retry(Retry::After(delay)),
                _ => error,
            });
        }
    }
    classify_status(response).map_err(|error| by_status(endpoint, response.status, error))?;
    expect_json(response)?;
    match Envelope::read(&body) {
        // The reference of the token calls shows no code. A pair that came must not be lost: the old one is used up.
        Err(_) if endpoint == Endpoint::Token && gives_token(&body) => Ok(()),
        read => read.map(drop),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenRow<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
}

fn gives_token(body: &str) -> bool {
    object::<TokenRow<'_>>("the answer", body).is_ok_and(|row| row.access_token.filled().is_some())
}

/// Statuses without a code come from in front of the API.
fn by_status(endpoint: Endpoint, status: u16, error: Error) -> Error {
    let again = |kind, retry| Error::new(kind).with_code(format_args!("HTTP {status}")).with_retry(retry);
    match (status, error.kind()) {
        // Never "not found": that would be read as "no such order".
        (404 | 410, _) => again(ErrorKind::Configuration, Retry::Never)
            .with_message("nothing is at this address: check the base URL of the configuration"),
        (_, ErrorKind::Refused) if !endpoint.changes() => again(ErrorKind::Unavailable, Retry::Later),
        _ => error,
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    /// What the code means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn new(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, effect: Effect::None, meaning }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Later, effect: Effect::None, meaning }
    }

    fn error(self, code: &str, said: &str, request_id: &str) -> Error {
        let mut words = words(self.meaning, said);
        if !request_id.trim().is_empty() {
            words = format!("{words} (request {})", request_id.trim());
        }
        let error = Error::new(self.kind).with_code(code).with_message(words).with_retry(self.retry);
        if self.effect == Effect::Unknown { error.with_unknown_effect() } else { error }
    }
}

fn words(meaning: &str, said: &str) -> String {
    match (meaning.trim(), said.trim()) {
        ("", said) => said.to_owned(),
        (meaning, "") => meaning.to_owned(),
        (meaning, said) => format!("{meaning} ({said})"),
    }
}

/// What a code other than 0 means for a call. `kind` says who failed; see [`Envelope::kind`].
pub(super) fn verdict(endpoint: Endpoint, status: u16, code: &str, kind: &str, said: &str) -> Verdict {
    use ErrorKind as Kind;
    if let Some(common) = common(code, said) {
        return common;
    }
    match status {
        429 => return Verdict::later(Kind::RateLimited, ""),
        500..=599 => return Verdict::later(Kind::Unavailable, ""),
        401 => return Verdict::new(Kind::Unauthorized, ""),
        403 => return Verdict::new(Kind::Forbidden, ""),
        _ => {}
    }
    if is_temporary(code) || kind.eq_ignore_ascii_case("SYSTEM") {
        return Verdict::later(Kind::Unavailable, "the channel could not process it");
    }
    own(endpoint, code, kind)
}

/// Codes of the gateway, the same for every call.
fn common(code: &str, said: &str) -> Option<Verdict> {
    use ErrorKind as Kind;
    let limited = |wait: Option<Duration>| {
        let retry = wait.map_or(Retry::Later, Retry::After);
        Verdict { retry, ..Verdict::new(Kind::RateLimited, "too many calls") }
    };
    Some(match code.to_ascii_lowercase().as_str() {
        // The last two are words that clients have seen.
        "illegalaccesstoken" | "invalidaccesstoken" | "accesstokenexpired" => {
            Verdict::new(Kind::CredentialExpired, "the access token is not accepted")
        }
        "incompletesignature" => {
            Verdict::new(Kind::Unauthorized, "the signature is not accepted: check app_secret")
        }
        "invalidtimestamp" => {
            Verdict::new(Kind::Unauthorized, "the time stamp is not accepted: check this machine's clock")
        }
        "invalidappkey" => Verdict::new(Kind::Unauthorized, "app_key is not accepted"),
        "insufficientpermission" => Verdict::new(
            Kind::Forbidden,
            "the app may not make this call: add the API group in App Console and authorise again",
        ),
        "appnotsubscribed" => {
            Verdict::new(Kind::Forbidden, "the seller has not subscribed to the app in the service market")
        }
        "sellernotverified" => {
            Verdict::new(Kind::Forbidden, "the shop is not verified yet: complete it in Seller Center")
        }
        "mp3sellerapilimit" => {
            Verdict::new(Kind::Forbidden, "sellers in Marketplace Ease Mode may not make this call")
        }
        "missingparameter" | "unsupportedhttpmethod" | "invalidapi" | "invalidapipath" => {
            Verdict::new(Kind::Configuration, "the channel knows no such call: check the base URL")
        }
        "apicalllimit" | "appcalllimit" | "sellercalllimit" => limited(ban(said)),
        // "Please retry in the next second" (the reference's solution).
        "901" => limited(Some(ban(said).unwrap_or(Duration::from_secs(1)))),
        "serviceunavailable" => Verdict::later(Kind::Unavailable, "the channel's service is down"),
        "servicetimeout" => Verdict::later(Kind::TimedOut, "the call took the channel too long"),
        _ if ban(said).is_some() => limited(ban(said)),
        _ => return None,
    })
}

/// How long the channel shuts us out: "this ban will last 1 seconds".
fn ban(said: &str) -> Option<Duration> {
    let said = said.to_ascii_lowercase();
    let (_, rest) = said.split_once("ban will last")?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    let seconds: u64 = digits.parse().ok()?;
    // A day at most: more would be a mistake.
    Some(Duration::from_secs(seconds.min(24 * 3600)))
}

/// "System is busy now, please try later", as the code lists of the calls say it.
fn is_temporary(code: &str) -> bool {
    matches!(code, "6" | "1000" | "513" | "40011")
}

fn own(endpoint: Endpoint, code: &str, kind: &str) -> Verdict {
    use ErrorKind as Kind;
    match (code, endpoint) {
        ("AUTH_TYPE_UNSUPPORTED", Endpoint::Token) => Verdict::new(
            Kind::CredentialExpired,
            "this app's tokens end with the seller's order in the service market and can't be renewed: let the seller order and authorise again",
        ),
        (_, Endpoint::Token) => Verdict::new(
            Kind::CredentialExpired,
            "the channel gives no token: let the merchant authorise the app again",
        ),
        ("16", Endpoint::Order | Endpoint::ItemsOfOrder) | ("37" | "39", Endpoint::Items) => {
            Verdict::new(Kind::NotFound, "this shop has no such order")
        }
        ("207" | "208" | "EDIT_ITEM_NOT_BELONG_SELLER", Endpoint::Product) => {
            Verdict::new(Kind::NotFound, "this shop has no such product")
        }
        // "ROC internal error": the service that runs cancellations failed.
        ("106", _) => Verdict::later(Kind::Unavailable, "the channel could not process it"),
        (code, Endpoint::Pack | Endpoint::ReadyToShip) if is_soon(code) => {
            Verdict::later(Kind::Refused, meaning(code))
        }
        (code, endpoint) if endpoint.looks_up() && is_definite(code) => {
            Verdict::new(Kind::Refused, meaning(code))
        }
        // A read that is refused for another reason is tried again: no order may be dropped for it.
        (_, endpoint) if !endpoint.changes() => {
            Verdict::later(Kind::Unavailable, "the channel could not answer")
        }
        (code, Endpoint::SetStock) => Verdict::new(Kind::Refused, meaning(code)),
        (code, _) if is_definite(code) => Verdict::new(Kind::Refused, meaning(code)),
        // A code that is not documented, from behind the gateway: nothing says that nothing was done.
        (code, _) if !kind.eq_ignore_ascii_case("ISV") => {
            Verdict { effect: Effect::Unknown, ..Verdict::new(Kind::Refused, meaning(code)) }
        }
        (code, _) => Verdict::new(Kind::Refused, meaning(code)),
    }
}

/// Refusals that pass: a lock, an item that is not released yet, no carrier at the moment.
fn is_soon(code: &str) -> bool {
    matches!(code, "1003" | "700024" | "700031")
}

/// Codes of the code lists that say something about what was asked.
fn is_definite(code: &str) -> bool {
    let documented = |prefix: &str| code.len() >= 5 && code.starts_with(prefix);
    is_soon(code)
        || documented("700")
        || documented("6000")
        || matches!(
            code,
            "102" | "104" | "105" | "115" | "116" | "117" | "118" | "122" | "123" | "124" | "131"
        )
}

/// What a refusal means, in words; empty: the channel's text says it.
fn meaning(code: &str) -> &'static str {
    match code {
        "1003" => "no carrier could be found for the package at the moment",
        "204" => "too many SKUs in one call",
        "212" => "the quantity would be negative",
        "4170" => "the SKU is in a campaign: its stock can't go below the present one",
        "4225" => "the product is run by the semi-hosted program: its stock is set there",
        UPDATE_FAILED => "the stock could not be set",
        "700000" => "the package's state does not allow it",
        "700001" => "there is no such shipment provider",
        "700016" => "the shop has no cross-border carrier: subscribe to one in Seller Center",
        "700021" | "700025" => "the shop has no such order or order item",
        "700023" | "700028" => "orders that are picked up in the store are not packed by API",
        "700024" => "the order is locked at the moment",
        "700026" => "the order item's state does not allow packing",
        "700027" => "Lazada fulfils this order itself",
        "700029" => "the pieces lie in several warehouses: report a parcel for each",
        "700030" => "digital goods and services are not packed",
        "700031" => "the order item is not released yet",
        "131" => "there is nothing to decide on this request any more",
        _ => "",
    }
}

/// The channel's no for one item of a call.
pub(super) fn refusal(code: &str, said: &str, again: bool) -> Refusal {
    let refusal = Refusal::new(code, words(meaning(code), said)).reread();
    if again || is_soon(code) { refusal.temporary() } else { refusal }
}

/// What an error about one item of a call means for it. An error of the channel's own system leaves it open what was
/// done.
pub(super) fn item_failed<T>(code: &str, said: &str, again: bool) -> Outcome<T> {
    if code.trim().is_empty() || is_temporary(code) {
        let error = Error::new(ErrorKind::Unavailable).with_code(code).with_message(said.trim());
        return Outcome::Unknown(error.with_unknown_effect());
    }
    Outcome::Refused(refusal(code, said, again))
}

/// The refusal in an error of a call about one thing, if it is one by the channel itself.
pub(super) fn refused(error: &Error) -> Option<Refusal> {
    let is_refusal =
        matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) && !error.outcome_unknown();
    is_refusal.then(|| {
        let no = Refusal::new(error.code().unwrap_or_default(), error.message().unwrap_or_default()).reread();
        if error.is_temporary() { no.temporary() } else { no }
    })
}
