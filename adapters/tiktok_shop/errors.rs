//! The calls of the API, and what their answers mean: a table of codes (sheet 7; the code lists in the reference of each
//! call; the channel's page of common errors).

use crate::channel::{Outcome, Refusal};
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::body_text;

use super::wire::Envelope;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Shops,
    SearchOrders,
    OrderDetail,
    Package,
    Slots,
    Document,
    Providers,
    Ship,
    ShipMany,
    MarkShipped,
    Inventory,
    SetInventory,
    Products,
    Warehouses,
    Cancellations,
    RejectReasons,
    Approve,
    Reject,
    Webhooks,
    SetWebhook,
}

impl Endpoint {
    fn changes(self) -> bool {
        matches!(
            self,
            Self::Ship
                | Self::ShipMany
                | Self::MarkShipped
                | Self::SetInventory
                | Self::Approve
                | Self::Reject
                | Self::SetWebhook
        )
    }

    /// Reads that are about one thing the caller named: a definite no is about that thing alone.
    fn looks_up(self) -> bool {
        matches!(self, Self::Package | Self::Slots | Self::Document | Self::Providers | Self::RejectReasons)
    }
}

/// The order or package does not belong to the seller.
pub(super) const NOT_OURS: i64 = 21_008_111;
/// A product search found more than 10,000.
pub(super) const TOO_MANY_PRODUCTS: i64 = 12_052_180;

/// The package, or the lines, were shipped before.
pub(super) fn is_already_shipped(code: i64) -> bool {
    matches!(code, 11_006_021 | 21_008_099 | 21_011_006 | 21_011_020 | 21_011_027 | 21_011_040 | 21_042_056)
}

/// Whether the quantity itself was refused.
pub(super) fn is_quantity_refused(code: i64) -> bool {
    matches!(code, 12_019_024 | 12_052_055)
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that code and status stand for, with the channel's code, its text and the request's id.
pub(super) fn judge(endpoint: Endpoint, response: &Response) -> Result<()> {
    let body = body_text(&response.body);
    if let Ok(envelope) = Envelope::read(&body)
        && envelope.code != 0
    {
        let verdict = verdict(endpoint, response.status, envelope.code, &envelope.message);
        let error = verdict.error(envelope.code, &envelope.message, &envelope.request_id);
        return Err(match (error.retry(), response.retry_after()) {
            (Retry::Later, Some(delay)) => error.with_retry(Retry::After(delay)),
            _ => error,
        });
    }
    classify_status(response).map_err(|error| by_status(endpoint, response.status, error))?;
    expect_json(response)?;
    Envelope::read(&body).map(drop)
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

    fn error(self, code: i64, said: &str, request_id: &str) -> Error {
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

/// What a code other than 0 means for a call.
pub(super) fn verdict(endpoint: Endpoint, status: u16, code: i64, said: &str) -> Verdict {
    use ErrorKind as Kind;
    if let Some(common) = common(code, said) {
        return common;
    }
    match (code, status) {
        (_, 429) => Verdict::later(Kind::RateLimited, ""),
        (_, 500..=599) => Verdict::later(Kind::Unavailable, ""),
        (code, _) if is_temporary(code) => {
            Verdict::later(Kind::Unavailable, "the channel could not process it")
        }
        (10_006_402 | 12_019_114, _) => Verdict::new(Kind::Forbidden, "the channel denies the permission"),
        (_, 401) => Verdict::new(Kind::Unauthorized, ""),
        (_, 403) => Verdict::new(Kind::Forbidden, ""),
        (_, 408) => Verdict::later(Kind::TimedOut, ""),
        _ => own(endpoint, code),
    }
}

/// Codes of the gateway, the same for every call.
fn common(code: i64, said: &str) -> Option<Verdict> {
    use ErrorKind as Kind;
    let said = said.to_ascii_lowercase();
    Some(match code {
        36_009_002 => Verdict::later(Kind::RateLimited, "too many calls"),
        36_009_003 => Verdict::later(Kind::Unavailable, "an internal error of the channel"),
        36_009_007 => Verdict::later(Kind::TimedOut, "the call took the channel too long"),
        36_009_009 | 36_009_010 | 36_009_022 | 36_009_023 => {
            Verdict::new(Kind::Configuration, "the channel knows no such call: check the base URL")
        }
        36_009_033 => Verdict::new(
            Kind::Forbidden,
            "this machine's IP address is not in the app's allow list: add it in Partner Center",
        ),
        101_000 => Verdict::new(Kind::Unauthorized, "shop_cipher and access token do not belong together"),
        105_001 => Verdict::new(Kind::CredentialExpired, "the access token is not accepted"),
        105_002 => Verdict::new(Kind::CredentialExpired, "the access token has expired"),
        105_005 => Verdict::new(
            Kind::Forbidden,
            "the app or the token lacks the scope for this call: enable it in Partner Center and authorise again",
        ),
        106_001 => Verdict::new(Kind::Unauthorized, "the signature is not accepted: check app_secret"),
        106_013 => Verdict::new(Kind::Unauthorized, "shop_cipher is missing"),
        // One code for many things: the text tells which (the channel's page of common errors).
        36_009_004 if said.contains("access_token") || said.contains("access-token") => {
            Verdict::new(Kind::CredentialExpired, "the access token is not accepted")
        }
        36_009_004 if said.contains("timestamp") => {
            Verdict::new(Kind::Unauthorized, "the time stamp is not accepted: check this machine's clock")
        }
        36_009_004 if said.contains("identifier") => {
            Verdict::new(Kind::Configuration, "shop_cipher does not fit this call")
        }
        36_009_004 => Verdict::new(Kind::Unauthorized, "app_key, signature or time stamp are not accepted"),
        _ => return None,
    })
}

/// "Please try again later", as the code lists of the calls say it.
fn is_temporary(code: i64) -> bool {
    matches!(
        code,
        10_002_014
            | 10_002_015
            | 10_037_002
            | 10_037_003
            | 10_037_004
            | 11_001_027
            | 11_001_031
            | 11_005_010
            | 11_006_005
            | 11_006_010
            | 11_006_026
            | 11_034_023
            | 11_034_025
            | 11_034_037
            | 21_001_003
            | 21_001_008
            | 21_001_011
            | 21_001_029
            | 21_001_043
            | 21_001_055
            | 21_008_300
            | 21_022_029
            | 21_022_030
            | 21_023_022
            | 21_023_034
            | 21_034_006
            | 21_042_001
            | 21_042_076
            | 25_001_028
            | 25_001_058
            | 25_007_002
    )
}

fn own(endpoint: Endpoint, code: i64) -> Verdict {
    use ErrorKind as Kind;
    match (code, endpoint) {
        (36_004_003, Endpoint::Token) => {
            Verdict::new(Kind::Unauthorized, "app_key and app_secret are not accepted: check them")
        }
        (36_004_005, Endpoint::Token) => Verdict::new(
            Kind::Unauthorized,
            "the channel knows no such refresh token: let the merchant authorise the app again",
        ),
        (_, Endpoint::Token) => Verdict::new(
            Kind::CredentialExpired,
            "the channel gives no token: let the merchant authorise the app again",
        ),
        (NOT_OURS, Endpoint::OrderDetail | Endpoint::Package) => {
            Verdict::new(Kind::NotFound, "this shop has no such order or package")
        }
        (TOO_MANY_PRODUCTS, Endpoint::Products) => {
            Verdict::new(Kind::Refused, "more than 10,000 products in one search")
        }
        (_, endpoint) if endpoint.looks_up() && is_definite(code) => {
            Verdict::new(Kind::Refused, meaning(code))
        }
        // A read that is refused for another reason is tried again: no order may be dropped for it.
        (_, endpoint) if !endpoint.changes() => {
            Verdict::later(Kind::Unavailable, "the channel could not answer the search")
        }
        // A batch that failed as a whole may have got half-way: nothing says that it did not.
        (code, Endpoint::ShipMany) => {
            Verdict { effect: Effect::Unknown, ..Verdict::new(Kind::Refused, meaning(code)) }
        }
        (code, _) => Verdict::new(Kind::Refused, meaning(code)),
    }
}

/// Answers to a look-up that say something about what was looked up.
fn is_definite(code: i64) -> bool {
    matches!(
        code,
        11_001_002
            | 11_021_009
            | 11_034_002
            | 11_034_009
            | 11_050_001
            | 21_001_001
            | 21_008_017
            | 21_008_043
            | 21_008_109
            | 21_008_116
            | 21_008_117
            | 21_021_010
            | 21_023_035
            | 21_023_046
            | 21_023_059
            | 21_042_102
            | 21_042_104
    )
}

/// What a refusal means, in words; empty: the channel's text says it.
fn meaning(code: i64) -> &'static str {
    match code {
        12_019_028 => "all warehouses of the SKU must be given",
        12_052_037 => {
            "the stock can't be set: TikTok allocates it, or the warehouses are not those of the SKU"
        }
        12_052_141 => "this stock is set at the global product, not here",
        12_052_393 => "the product is locked for a promotion: its stock can't go below the present one",
        12_052_850 => "a bundle's stock follows from its parts and can't be set",
        12_052_901 => "only products on sale (ACTIVATE) take a quantity",
        12_052_921 => "the product shares the stock of its source shop",
        21_008_025 => "TikTok fulfils this order itself",
        21_008_044 | 21_011_007 => "a cancel request or claim is open on the package: settle it first",
        21_008_106 => "parts of an order can't be shipped by API in this market",
        21_008_116 | 21_008_117 => "the delivery option has no carriers to choose from: TikTok ships it",
        21_011_041 => "the order is cancelled",
        _ => "",
    }
}

/// The channel's no for one item of a call.
pub(super) fn refusal(endpoint: Endpoint, code: i64, said: &str) -> Refusal {
    let refusal = Refusal::new(code, words(meaning(code), said));
    let refusal = match endpoint {
        Endpoint::SetInventory => refusal,
        _ => refusal.reread(),
    };
    match code {
        // Waits for the merchant or the buyer (claim, invoice, pick-up time), and then goes through.
        21_004_006 | 21_004_017 | 21_004_019 | 21_004_020 | 21_008_044 | 21_011_007 | 21_011_053 => {
            refusal.temporary()
        }
        _ => refusal,
    }
}

/// What an error about one item of a call means for it. An error of the channel's own system leaves it open what was
/// done.
pub(super) fn item_failed<T>(endpoint: Endpoint, code: i64, said: &str) -> Outcome<T> {
    if is_temporary(code) || matches!(code, 36_009_003 | 36_009_007) {
        let error = Error::new(ErrorKind::Unavailable).with_code(code).with_message(said.trim());
        return Outcome::Unknown(error.with_unknown_effect());
    }
    Outcome::Refused(refusal(endpoint, code, said))
}

/// The refusal in an error of a call about one item, if it is one by the channel itself.
pub(super) fn refused(endpoint: Endpoint, error: &Error) -> Option<Refusal> {
    let code = channel_code(error)?;
    let is_refusal =
        matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) && !error.outcome_unknown();
    is_refusal.then(|| {
        let mut no = refusal(endpoint, code, "");
        no.message = error.message().unwrap_or_default().to_owned();
        no
    })
}

/// The channel's number in an error; a status of HTTP is none.
pub(super) fn channel_code(error: &Error) -> Option<i64> {
    error.code()?.parse().ok()
}
