//! The calls of the API, and what their answers mean: a table of codes (sheet 7; the error lists of each call's page).

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use crate::channel::Refusal;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status, expect_json};
use crate::lenient::body_text;

use super::meanings::{is_system, is_waiting, meaning};
use super::stock::tells_of_models;
use super::wire::Envelope;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Token,
    Refresh,
    Resend,
    Shops,
    ShopInfo,
    Warehouses,
    Orders,
    OrderDetail,
    PackageDetail,
    ShippingParameter,
    TrackingNumber,
    Ship,
    Split,
    Items,
    ItemInfo,
    Models,
    SetStock,
    Decide,
    Cancel,
    SetPush,
}

impl Endpoint {
    /// The path that is signed and called.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Token => "/api/v2/auth/token/get",
            Self::Refresh => "/api/v2/auth/access_token/get",
            Self::Resend => "/api/v2/public/get_token_by_resend_code",
            Self::Shops => "/api/v2/public/get_shops_by_partner",
            Self::ShopInfo => "/api/v2/shop/get_shop_info",
            Self::Warehouses => "/api/v2/shop/get_warehouse_detail",
            Self::Orders => "/api/v2/order/get_order_list",
            Self::OrderDetail => "/api/v2/order/get_order_detail",
            Self::PackageDetail => "/api/v2/order/get_package_detail",
            Self::ShippingParameter => "/api/v2/logistics/get_shipping_parameter",
            Self::TrackingNumber => "/api/v2/logistics/get_tracking_number",
            Self::Ship => "/api/v2/logistics/ship_order",
            Self::Split => "/api/v2/order/split_order",
            Self::Items => "/api/v2/product/get_item_list",
            Self::ItemInfo => "/api/v2/product/get_item_base_info",
            Self::Models => "/api/v2/product/get_model_list",
            Self::SetStock => "/api/v2/product/update_stock",
            Self::Decide => "/api/v2/order/handle_buyer_cancellation",
            Self::Cancel => "/api/v2/order/cancel_order",
            Self::SetPush => "/api/v2/push/set_app_push_config",
        }
    }

    pub(super) fn changes(self) -> bool {
        matches!(
            self,
            Self::Ship | Self::Split | Self::SetStock | Self::Decide | Self::Cancel | Self::SetPush
        )
    }

    fn gives_tokens(self) -> bool {
        matches!(self, Self::Token | Self::Refresh | Self::Resend)
    }

    /// Reads about one thing that the caller named: the channel's no is about that thing alone.
    fn looks_up(self) -> bool {
        matches!(
            self,
            Self::ShippingParameter
                | Self::TrackingNumber
                | Self::PackageDetail
                | Self::Models
                | Self::Warehouses
        )
    }

    /// The only answer whose page shows no `error` field.
    fn may_lack_error(self) -> bool {
        self == Self::Shops
    }
}

/// A code: with or without the name of a module before it, some with stray spaces and tabs (sheet 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Code<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let (module, name) = text.trim().rsplit_once('.').unwrap_or(("", text));
        Self { module: module.trim(), name: name.trim() }
    }

    /// Whether it is a word of the API, and not of something in front of it.
    fn is_shopees(self) -> bool {
        self.name.contains('_')
    }
}

/// The code in an error, if the channel gave one.
fn code_of(error: &Error) -> Option<Code<'_>> {
    error.code().map(Code::read)
}

/// Whether the access token was not accepted: a new one may be. The end of the authorisation has other codes.
pub(super) fn is_token_refused(error: &Error) -> bool {
    let names = ["invalid_acceess_token", "invalid_access_token", "error_auth"];
    error.kind() == ErrorKind::CredentialExpired
        && code_of(error).is_some_and(|code| names.contains(&code.name))
}

/// Whether the package's shipment was arranged before.
pub(super) fn is_already_shipped(error: &Error) -> bool {
    !error.outcome_unknown() && code_of(error).is_some_and(|code| code.name == "package_already_shipped")
}

/// Whether the order was cancelled, or its request decided, before.
pub(super) fn is_decided(error: &Error) -> bool {
    let names = ["order_status_invalid", "cancel_order_invalid_status", "error_limit", "error_status"];
    !error.outcome_unknown() && code_of(error).is_some_and(|code| names.contains(&code.name))
}

/// Whether a list was refused because of its span.
pub(super) fn is_span_refused(error: &Error) -> bool {
    code_of(error).is_some_and(|code| code.name == "order_list_invalid_time")
}

/// Whether the split was made although the answer is an error.
pub(super) fn is_split_done(error: &Error) -> bool {
    let names = ["order_has_been_split", "order_split_get_package_info_failed"];
    code_of(error).is_some_and(|code| names.contains(&code.name))
}

/// Whether the shop has no warehouses of its own.
pub(super) fn has_no_warehouses(error: &Error) -> bool {
    let names = ["error_not_in_whitelist", "error_can_not_find_warehouse", "error_region_not_valid"];
    code_of(error).is_some_and(|code| names.contains(&code.name))
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result. The body comes before the HTTP status, which
/// is not fixed (sheet 7).
///
/// # Errors
/// The kind that code and status stand for, with the channel's code, its text and the request's id.
pub(super) fn judge(endpoint: Endpoint, response: &Response) -> Result<()> {
    let body = body_text(&response.body);
    if let Ok(envelope) = Envelope::read(&body)
        && let Some(said) = envelope.error.as_deref().map(str::trim).filter(|code| !code.is_empty())
    {
        let code = Code::read(said);
        if endpoint == Endpoint::SetStock
            && code.name == "error_busi_update_stock_failed"
            && tells_of_models(&body)
        {
            return Ok(());
        }
        let verdict = verdict(endpoint, response.status, code, &envelope.message);
        let mut error = verdict.error(said, &envelope.message, &envelope.request_id);
        if verdict.retry == Retry::Later {
            if let Some(delay) = response.retry_after() {
                error = error.with_retry(Retry::After(delay));
            } else if is_daily_quota(code, &envelope.message) {
                error = error.with_retry(Retry::After(until_reset(response.sent_at)));
            }
        }
        return Err(error);
    }
    classify_status(response).map_err(|error| by_status(endpoint, response.status, error))?;
    expect_json(response)?;
    match Envelope::read(&body)?.error {
        Some(_) => Ok(()),
        None if endpoint.may_lack_error() => Ok(()),
        None => Err(Error::malformed("the answer does not say whether it is an error")),
    }
}

/// The counter of the app's daily quota is set back at midnight, UTC+8 (sheet 1).
fn until_reset(now: DateTime<Utc>) -> std::time::Duration {
    let zone = FixedOffset::east_opt(8 * 3600);
    let next = zone.and_then(|zone| {
        let day = now.with_timezone(&zone).date_naive().succ_opt()?;
        day.and_hms_opt(0, 0, 0)?.and_local_timezone(zone).single()
    });
    let wait = next.map_or(TimeDelta::hours(1), |next| next.with_timezone(&Utc) - now);
    wait.to_std().unwrap_or_default()
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

/// A row of the table. What a failed change may have done follows from its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    /// What the code means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
}

impl Verdict {
    const fn new(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, meaning }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Later, meaning }
    }

    fn error(self, code: &str, said: &str, request_id: &str) -> Error {
        let mut words = match (self.meaning, said.trim()) {
            ("", said) => said.to_owned(),
            (meaning, "") => meaning.to_owned(),
            (meaning, said) => format!("{meaning} ({said})"),
        };
        if !request_id.trim().is_empty() {
            words = format!("{words} (request {})", request_id.trim());
        }
        Error::new(self.kind).with_code(code).with_message(words).with_retry(self.retry)
    }
}

const AUTHORISE: &str = "the seller must authorise the app again";

/// What a code means for a call.
pub(super) fn verdict(endpoint: Endpoint, status: u16, code: Code<'_>, said: &str) -> Verdict {
    use ErrorKind as Kind;
    if let Some(common) = common(endpoint, code, said) {
        return common;
    }
    match status {
        429 => Verdict::later(Kind::RateLimited, ""),
        500..=599 => Verdict::later(Kind::Unavailable, ""),
        408 => Verdict::later(Kind::TimedOut, ""),
        _ if code.is_shopees() => own(endpoint, code, said),
        401 => Verdict::new(Kind::Unauthorized, ""),
        403 => Verdict::new(Kind::Forbidden, ""),
        404 | 410 => Verdict::new(Kind::Configuration, "nothing is at this address: check the base URL"),
        _ => own(endpoint, code, said),
    }
}

/// Codes of the gateway, the same for every call.
fn common(endpoint: Endpoint, code: Code<'_>, said: &str) -> Option<Verdict> {
    use ErrorKind as Kind;
    let said = said.to_ascii_lowercase();
    let about = |words: &str| said.contains(words);
    Some(match code.name {
        "invalid_acceess_token" | "invalid_access_token" => {
            Verdict::new(Kind::CredentialExpired, "the access token is not accepted")
        }
        // One code for many things: the text tells which.
        "error_auth" if about("access_token") || about("access token") => {
            Verdict::new(Kind::CredentialExpired, "the access token is not accepted")
        }
        "error_auth" if about("refresh_token") => Verdict::new(Kind::CredentialExpired, AUTHORISE),
        "error_auth" if about("no permission") => {
            Verdict::new(Kind::Forbidden, "the app may not make this call: check its type in the console")
        }
        // Of the stock call it says what is wrong with the quantity.
        "error_auth" if endpoint != Endpoint::SetStock => Verdict::new(Kind::Unauthorized, ""),
        "refresh_token_expired"
        | "shop_access_expired"
        | "error_shop_refresh_token"
        | "shop_no_linked"
        | "partner_shop_no_link"
        | "invalid_code" => Verdict::new(Kind::CredentialExpired, AUTHORISE),
        "error_partner_key_expired" => Verdict::new(
            Kind::CredentialExpired,
            "the app's live partner key has expired: reset it in the console and enter the new one",
        ),
        "error_sign" => Verdict::new(Kind::Unauthorized, "the signature is not accepted: check partner_key"),
        "invalid_partner_id" => Verdict::new(Kind::Unauthorized, "the channel knows no such partner_id"),
        "error_shop" | "invalid_shop" => {
            Verdict::new(Kind::Unauthorized, "the channel knows no such shop_id")
        }
        "error_api_permission" | "error_api_call_restricted" | "error_ashop_api_permission" => {
            Verdict::new(Kind::Forbidden, "the app may not make this call: check its type in the console")
        }
        "error_permission" => Verdict::new(Kind::Forbidden, "the channel denies the permission"),
        "error_kyc_auth" => Verdict::new(Kind::Forbidden, "the developer account is not verified yet (KYC)"),
        "shop_banned" => Verdict::new(Kind::Forbidden, "the shop is banned"),
        "source_ip_undeclared" => Verdict::new(
            Kind::Forbidden,
            "this machine's IP address is not in the app's whitelist: add it in the console",
        ),
        "error_param" if about("timestamp") => Verdict::new(
            Kind::Unauthorized,
            "the time of the request is not accepted: check this machine's clock",
        ),
        "error_param" if about("not from gateway") || about("no partner_id") || about("no sign") => {
            Verdict::new(Kind::Configuration, "the call did not reach the API as it was sent")
        }
        "api_suspended" => Verdict::new(Kind::Configuration, "the channel has switched this call off"),
        "error_rate_limit" => Verdict::later(Kind::RateLimited, "too many calls"),
        "error_limit" if is_daily_quota(code, &said) => Verdict::later(
            Kind::RateLimited,
            "the app's calls of the day are used up; counted anew at 00:00 UTC+8",
        ),
        _ if is_system(code, &said) => Verdict::later(Kind::Unavailable, "the channel could not process it"),
        _ => return None,
    })
}

/// `error_limit` of a module is about the order or the parcel; the gateway's own is the app's daily quota.
fn is_daily_quota(code: Code<'_>, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    code.name == "error_limit"
        && matches!(code.module, "" | "common")
        && !["order", "parcel", "batch"].iter().any(|word| said.contains(word))
}

fn own(endpoint: Endpoint, code: Code<'_>, said: &str) -> Verdict {
    use ErrorKind as Kind;
    match endpoint {
        endpoint if endpoint.gives_tokens() && code.is_shopees() => {
            Verdict::new(Kind::CredentialExpired, AUTHORISE)
        }
        Endpoint::OrderDetail | Endpoint::PackageDetail if code.name == "error_not_found" => {
            Verdict::new(Kind::NotFound, "this shop has no such order or package")
        }
        Endpoint::Orders if code.name == "order_list_invalid_time" => {
            Verdict::new(Kind::InvalidInput, "the channel does not take this span of time")
        }
        Endpoint::ItemInfo | Endpoint::Models if code.name == "error_item_not_found" => {
            Verdict::new(Kind::NotFound, "this shop has no such item")
        }
        // A lock of the channel's own: nothing was done, and the next moment it may go.
        _ if matches!(
            code.name,
            "error_too_many_invoke_function" | "logistic_order_is_locked_on_creating"
        ) =>
        {
            Verdict::later(if endpoint.changes() { Kind::Refused } else { Kind::Unavailable }, "")
        }
        endpoint if endpoint.looks_up() && code.is_shopees() => {
            Verdict::new(Kind::Refused, meaning(code, said))
        }
        // A read that is refused for another reason is tried again: no order may be dropped for it.
        endpoint if !endpoint.changes() => {
            Verdict::later(Kind::Unavailable, "the channel could not answer the search")
        }
        _ => Verdict::new(Kind::Refused, meaning(code, said)),
    }
}

/// The refusal in an error of a call about one thing, if it is one by the channel itself.
pub(super) fn refused(error: &Error) -> Option<Refusal> {
    let code = code_of(error)?;
    let is_refusal =
        matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) && !error.outcome_unknown();
    is_refusal.then(|| {
        let said = error.message().unwrap_or_default();
        let no = Refusal::new(error.code().unwrap_or_default(), said).reread();
        if error.is_temporary() || is_waiting(code, said) { no.temporary() } else { no }
    })
}
