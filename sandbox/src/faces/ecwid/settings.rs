//! What can be switched on the face.

use serde::Deserialize;

use super::Ecwid;
use crate::lock;

/// What an answer to a wrong token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forbidden {
    /// No body, as it was measured.
    #[default]
    Empty,
    /// `INVALID_API_TOKEN`, as it is documented.
    Documented,
}

/// In which order a search of orders lists them. Ecwid promises none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderSort {
    /// The last placed first.
    #[default]
    NewestFirst,
    /// The first placed first.
    OldestFirst,
    /// The last changed first.
    ChangedFirst,
}

/// What the merchant pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// A plan with the API.
    #[default]
    Paid,
    /// A plan without: every call is 402.
    Free,
    /// The store is suspended: every call is 402.
    Suspended,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Most rows on a page.
    pub(super) page_size: usize,
    pub(super) forbidden: Forbidden,
    pub(super) plan: Plan,
    pub(super) order_sort: OrderSort,
    /// Calls a minute and token; none: as many as one likes.
    pub(super) limit: Option<u32>,
    /// How old a change of an order must be to be found by the search.
    pub(super) search_lag_seconds: u32,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) currency: String,
    pub(super) precision: u32,
    pub(super) timezone: String,
    pub(super) preorders: bool,
    /// Whether buyers are mailed.
    pub(super) mails: bool,
    /// Whether a token in the address is taken, as old clients send it.
    pub(super) query_tokens: bool,
    /// Whether "nothing" is written in several ways.
    pub(super) varied: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: 100,
            forbidden: Forbidden::Empty,
            plan: Plan::Paid,
            order_sort: OrderSort::NewestFirst,
            limit: None,
            search_lag_seconds: 0,
            prefix: String::new(),
            suffix: String::new(),
            currency: "JPY".to_owned(),
            precision: 0,
            timezone: "Asia/Tokyo".to_owned(),
            preorders: false,
            mails: true,
            query_tokens: false,
            varied: true,
        }
    }
}

impl Ecwid {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// Most rows on a page, from 1 to 100 (the default). Who asks for more gets so many, and `limit` says so.
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.clamp(1, 100))
    }

    /// What an answer to a wrong token looks like.
    #[must_use]
    pub fn forbidden(self, answer: Forbidden) -> Self {
        self.change(|settings| settings.forbidden = answer)
    }

    /// What the merchant pays for.
    #[must_use]
    pub fn plan(self, plan: Plan) -> Self {
        self.change(|settings| settings.plan = plan)
    }

    /// In which order a search of orders lists them.
    #[must_use]
    pub fn order_sort(self, sort: OrderSort) -> Self {
        self.change(|settings| settings.order_sort = sort)
    }

    /// Enforces a limit of so many calls a minute and token, on the sandbox's clock. 600 is what is published.
    #[must_use]
    pub fn with_limit(self, calls: u32) -> Self {
        self.change(|settings| settings.limit = Some(calls))
    }

    /// How many seconds the search of orders is behind. 0 by default.
    #[must_use]
    pub fn search_lag_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.search_lag_seconds = seconds)
    }

    /// What stands before and behind every order id. Nothing by default.
    #[must_use]
    pub fn affixes(self, prefix: &str, suffix: &str) -> Self {
        self.change(|settings| {
            settings.prefix = prefix.to_owned();
            settings.suffix = suffix.to_owned();
        })
    }

    /// The stores' currency (ISO 4217), its digits after the point, and the zone (IANA). Yen and Tokyo by default.
    #[must_use]
    pub fn region(self, currency: &str, precision: u32, timezone: &str) -> Self {
        self.change(|settings| {
            settings.currency = currency.to_owned();
            settings.precision = precision;
            settings.timezone = timezone.to_owned();
        })
    }

    /// The stores mail buyers nothing.
    #[must_use]
    pub fn without_mails(self) -> Self {
        self.change(|settings| settings.mails = false)
    }

    /// Writes "nothing" always as an empty text, zero or false.
    #[must_use]
    pub fn uniform(self) -> Self {
        self.change(|settings| settings.varied = false)
    }
}
