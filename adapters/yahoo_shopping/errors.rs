//! The methods of the store API, and what their answers mean: a table of status, code and text ("Errors").

use crate::channel::Refusal;
use crate::error::{Effect, Error, ErrorKind, Result, Retry};
use crate::http::{Response, classify_status};
use crate::xml::Element;

use super::auth::key_trouble;
use super::park::until_tomorrow;
use super::wire::{decoded, with_root};

/// A method of the store API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    OrderList,
    OrderInfo,
    OrderChange,
    OrderStatusChange,
    OrderShipStatusChange,
    GetStock,
    SetStock,
    CategoryList,
    ItemList,
    Item,
}

impl Method {
    /// The last part of its path.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OrderList => "orderList",
            Self::OrderInfo => "orderInfo",
            Self::OrderChange => "orderChange",
            Self::OrderStatusChange => "orderStatusChange",
            Self::OrderShipStatusChange => "orderShipStatusChange",
            Self::GetStock => "getStock",
            Self::SetStock => "setStock",
            Self::CategoryList => "stCategoryList",
            Self::ItemList => "myItemList",
            Self::Item => "getItem",
        }
    }

    /// Whether it changes nothing.
    pub(super) fn only_reads(self) -> bool {
        !matches!(
            self,
            Self::OrderChange | Self::OrderStatusChange | Self::OrderShipStatusChange | Self::SetStock
        )
    }

    /// Whether its answers say `Status` OK or NG.
    fn has_status(self) -> bool {
        matches!(
            self,
            Self::OrderList
                | Self::OrderInfo
                | Self::OrderChange
                | Self::OrderStatusChange
                | Self::OrderShipStatusChange
        )
    }

    fn root(self) -> &'static str {
        if self == Self::OrderList { "Result" } else { "ResultSet" }
    }
}

/// The header in which the channel says what it thinks of the public key signature.
pub(super) const KEY_STATUS: &str = "x-sws-authorize-status";
/// The channel has no such order.
pub(super) const NO_SUCH_ORDER: &str = "od91801";
/// The session of order calls is over: 12 hours without, 4 weeks with a valid signature.
pub(super) const SESSION_OVER: &str = "px-04102";
/// Stands for the answer to an access token that has ended: it has no code of its own.
pub(super) const TOKEN_ENDED: &str = "invalid_token";

/// Whether a fresh access token may cure it.
pub(super) fn wants_new_token(error: &Error) -> bool {
    error.kind() == ErrorKind::CredentialExpired && matches!(error.code(), Some(TOKEN_ENDED | SESSION_OVER))
}

/// Says what is wrong with an answer; `Ok`: it can be read for its result.
///
/// # Errors
/// The kind that status, code and text stand for, with the channel's code and text.
pub(super) fn judge(method: Method, response: &Response) -> Result<()> {
    if response.is_success() {
        return judge_body(method, &response.body);
    }
    if matches!(response.status, 300..=399) {
        return classify_status(response);
    }
    let body = decoded(&response.body);
    // Pages of proxies come with these too: what can't be read says nothing beyond the status.
    let told = Element::parse(&body).ok().and_then(|root| told(&root)).unwrap_or_default();
    let challenge = response.header("www-authenticate").unwrap_or_default();
    let said = format!("{} {challenge}", told.message);
    let mut verdict = verdict(method, response.status, &told.code, &said);
    match (verdict.kind, response.retry_after()) {
        (ErrorKind::RateLimited, None) if response.status == 403 => {
            verdict.retry = Retry::After(until_tomorrow(response.sent_at));
        }
        (_, Some(delay)) if verdict.retry == Retry::Later => verdict.retry = Retry::After(delay),
        _ => {}
    }
    let key = response.header(KEY_STATUS).and_then(key_trouble);
    let message = match key {
        Some(trouble) if told.code == SESSION_OVER => format!("{}; {trouble}", told.message),
        _ => told.message.clone(),
    };
    let code = match (told.code.is_empty(), verdict.code) {
        (false, _) => told.code,
        (true, "") => format!("HTTP {}", response.status),
        (true, code) => code.to_owned(),
    };
    Err(verdict.error(&code, &message))
}

/// Judges the body of an answer with a status of success. A root `Error`, `Status` NG and a missing part are errors,
/// never "nothing found" ("Traps").
///
/// # Errors
/// As [`judge`].
pub(super) fn judge_body(method: Method, body: &[u8]) -> Result<()> {
    with_root(body, |root| {
        if let Some(told) = told(root) {
            return Err(verdict(method, 400, &told.code, &told.message).error(&told.code, &told.message));
        }
        if root.name() != method.root() {
            return Err(Error::malformed(format!("no XML of {}", method.name())));
        }
        if !method.has_status() {
            return Ok(());
        }
        let result = if method == Method::OrderList { Some(root) } else { root.all("Result").next() };
        let status = result.map_or("", |result| result.field("Status"));
        let refused = !matches!(root.attribute("ng").trim(), "" | "0");
        match (status, refused) {
            ("OK", false) => Ok(()),
            ("OK", true) => Err(Error::malformed("the answer says OK and counts a failure")),
            ("NG", _) => {
                let told = result.map(of_error).unwrap_or_default();
                Err(verdict(method, 400, &told.code, &told.message).error(&told.code, &told.message))
            }
            _ => Err(Error::malformed(format!("the answer of {} has no status", method.name()))),
        }
    })
}

/// Code and text of an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Told {
    pub(super) code: String,
    pub(super) message: String,
}

/// The error that an answer is or holds.
pub(super) fn told(root: &Element<'_>) -> Option<Told> {
    if root.name() == "Error" {
        return Some(of_error(root));
    }
    let inside = || root.all("Result").find_map(|result| result.all("Error").next());
    root.all("Error").next().or_else(inside).map(of_error)
}

fn of_error(element: &Element<'_>) -> Told {
    Told { code: element.field("Code").to_owned(), message: element.field("Message").to_owned() }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) effect: Effect,
    /// What it means; empty: only the channel's text says it.
    pub(super) meaning: &'static str,
    /// The code of ours for answers without one.
    pub(super) code: &'static str,
}

impl Verdict {
    const fn never(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { kind, retry: Retry::Never, effect: Effect::None, meaning, code: "" }
    }

    const fn later(kind: ErrorKind, meaning: &'static str) -> Self {
        Self { retry: Retry::Later, ..Self::never(kind, meaning) }
    }

    fn error(self, code: &str, said: &str) -> Error {
        let error = Error::new(self.kind).with_retry(self.retry).with_message(words(self.meaning, said));
        let error = if code.is_empty() { error } else { error.with_code(code) };
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

/// What an answer with this status, code and text means. The code goes first: the statuses of many codes are assumed. A
/// refusal inside a 2xx body counts as status 400.
pub(super) fn verdict(method: Method, status: u16, code: &str, text: &str) -> Verdict {
    by_code(method, code).unwrap_or_else(|| match status {
        401 => by_challenge(code, text),
        403 if code.is_empty() && text.contains("Your Request was Forbidden") => Verdict::later(
            ErrorKind::RateLimited,
            "more than 50,000 calls were made with this Client ID today, or the Client ID is not known",
        ),
        _ => by_status(method, status),
    })
}

fn by_code(method: Method, code: &str) -> Option<Verdict> {
    use ErrorKind as Kind;
    let wrong = |meaning| Verdict::never(Kind::InvalidInput, meaning);
    let refused = |meaning| {
        let kind = if method.only_reads() { Kind::InvalidInput } else { Kind::Refused };
        Verdict::never(kind, meaning)
    };
    let down = |meaning| Verdict { effect: lost(method), ..Verdict::later(Kind::Unavailable, meaning) };
    Some(match code {
        SESSION_OVER => Verdict::never(
            Kind::CredentialExpired,
            "12 hours (without a valid public key signature) or 4 weeks have passed since the consent: check \
             the public key and its version, then let a person agree again",
        ),
        "px-04303" => {
            Verdict::never(Kind::Forbidden, "the Client ID is not approved for the order API: apply for it")
        }
        "px-04306" => Verdict::never(
            Kind::Forbidden,
            "this machine's IP address is not registered: register it with the application for the order API",
        ),
        "px-04307" => {
            Verdict::never(Kind::CredentialExpired, "the consent was withdrawn: let a person agree again")
        }
        "px-14303" => Verdict::never(
            Kind::Forbidden,
            "the Yahoo! JAPAN ID that agreed does not belong to the store: let one that does agree",
        ),
        "px-14304" => Verdict::never(Kind::Forbidden, "the store account is not allowed"),
        "px-04001" => wrong("the channel saw no store account"),
        "px-04400" => Verdict::never(
            Kind::Configuration,
            "the channel has no such method at this address: check the host of the configuration",
        ),
        NO_SUCH_ORDER => Verdict::never(Kind::NotFound, "the channel has no such order"),
        "od90101" | "od90137" => refused(""),
        "od91001" => down("trouble at the channel"),
        "od91133" => wrong(""),
        "st-02000" => down("the channel is in maintenance"),
        "st-02999" | "ed-00001" => down("a system error of the channel"),
        "st-02101" | "st-02104" | "st-02106" => refused(stock_meaning(code)),
        "st-02100" | "st-02102" | "st-02103" | "st-02105" | "st-02107" => wrong(stock_meaning(code)),
        "ed-00003" | "ed-00004" | "ed-00005" => {
            Verdict::never(Kind::Unauthorized, "the store account is not known: check seller_id")
        }
        _ => return None,
    })
}

/// What a code about stock means.
pub(super) fn stock_meaning(code: &str) -> &'static str {
    match code {
        "st-02100" => "the store account is wrong",
        "st-02101" => "the item code is wrong",
        "st-02102" => "too many item codes",
        "st-02103" => "an item code twice",
        "st-02104" => "the quantity is wrong",
        "st-02105" | "st-02107" => "the number of values does not fit",
        "st-02106" => "allow_overdraft is wrong",
        _ => "",
    }
}

/// 401 without a code that is known. Only an access token that has ended is worth a new one.
fn by_challenge(code: &str, text: &str) -> Verdict {
    if text.contains("insufficient_scope") {
        return Verdict::never(
            ErrorKind::Forbidden,
            "the Client ID is an ordinary one: make one for Yahoo! Shopping stores",
        );
    }
    if code.is_empty() && text.contains(TOKEN_ENDED) {
        return Verdict {
            code: TOKEN_ENDED,
            ..Verdict::never(ErrorKind::CredentialExpired, "the access token has ended or is not accepted")
        };
    }
    Verdict::never(ErrorKind::Unauthorized, "the channel does not accept the access token")
}

fn by_status(method: Method, status: u16) -> Verdict {
    use ErrorKind as Kind;
    let open = |kind, meaning| Verdict { effect: lost(method), ..Verdict::later(kind, meaning) };
    match status {
        403 => Verdict::never(Kind::Forbidden, "the channel does not permit this call"),
        // Never "not found": that would be read as "no such order", which has a code of its own.
        404 | 405 | 410 => Verdict::never(
            Kind::Configuration,
            "nothing is at this address: check the host of the configuration",
        ),
        408 | 425 => open(Kind::TimedOut, ""),
        429 => Verdict::later(Kind::RateLimited, "too many calls"),
        500..=599 => open(Kind::Unavailable, "the channel is down or in maintenance"),
        // A read that is refused for a reason that is not known is tried again: no order may be dropped for it.
        _ if method.only_reads() => Verdict::later(Kind::Unavailable, "the channel could not answer"),
        _ => Verdict::never(Kind::Refused, ""),
    }
}

/// A 5xx to a write says nothing about what was done.
fn lost(method: Method) -> Effect {
    if method.only_reads() { Effect::None } else { Effect::Unknown }
}

/// The channel's no for one order: its state may be another than was thought.
pub(super) fn refusal(error: &Error) -> Refusal {
    Refusal::new(error.code().unwrap_or_default(), error.message().unwrap_or("refused")).reread()
}

/// Whether it is the channel's no, for one order.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) && !error.outcome_unknown()
}

/// The warnings in the answer to a change: the change was made all the same.
pub(super) fn warnings(body: &[u8]) -> Result<Vec<Told>> {
    with_root(body, |root| {
        let results = root.all("Result").chain(std::iter::once(root));
        Ok(results.flat_map(|result| result.all("Warning")).map(of_error).collect())
    })
}
