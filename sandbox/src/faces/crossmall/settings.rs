//! What can be switched on the face, and the account's own words.

use serde::Deserialize;

use super::CrossMall;
use crate::RateLimit;
use crate::lock;

/// What a phase means to the merchant. The API does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for payment.
    Unpaid,
    /// Waits for the seller.
    New,
    /// The seller has taken it: moving there confirms in the market.
    Confirmed,
    /// It has left: moving there ships in the market.
    Shipped,
}

/// A processing phase of the account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name, free text.
    pub name: String,
    /// What it means; without one, moving there does nothing else.
    pub stage: Option<Stage>,
}

impl Phase {
    /// A phase that means something.
    pub fn of(name: &str, stage: Stage) -> Self {
        Self { name: name.to_owned(), stage: Some(stage) }
    }

    /// A phase that means nothing to the market.
    pub fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), stage: None }
    }
}

/// What `TotalResult` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalOf {
    /// The rows of the answer.
    #[default]
    Page,
    /// All that match.
    All,
}

/// How the numbers of rows are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quotes {
    /// `No='1'`.
    #[default]
    Single,
    /// `No="1"`.
    Double,
}

/// In which order `get_order` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOrder {
    /// By number.
    #[default]
    Ascending,
    /// The other way round, within a page.
    Descending,
}

/// Carrier services of the account (配送便), and whether they know time slots.
pub(super) const SERVICES: [(&str, bool); 4] =
    [("ヤマト宅急便", true), ("佐川急便", true), ("ゆうパック", true), ("ネコポス", false)];

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) phases: Vec<Phase>,
    pub(super) page_size: usize,
    pub(super) limit: Option<RateLimit>,
    /// HTTP status of a wrong account or signature.
    pub(super) auth_status: u16,
    pub(super) address_refused: bool,
    pub(super) import_lag_seconds: u32,
    pub(super) ignore_tracking: bool,
    pub(super) row_order: RowOrder,
    pub(super) total: TotalOf,
    pub(super) quotes: Quotes,
    pub(super) without_message: bool,
    pub(super) newer_fields: bool,
    pub(super) open_ends: bool,
    pub(super) parent_has_all_lines: bool,
    pub(super) simple_items_have_no_sku_row: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            phases: vec![
                Phase::of("入金待ち", Stage::Unpaid),
                Phase::of("注文確認", Stage::New),
                Phase::plain("確認待ち"),
                Phase::plain("引当待ち"),
                Phase::of("発送待ち", Stage::Confirmed),
                Phase::of("完了", Stage::Shipped),
                Phase::plain("キャンセル"),
            ],
            page_size: 100,
            limit: None,
            auth_status: 200,
            address_refused: false,
            import_lag_seconds: 0,
            ignore_tracking: false,
            row_order: RowOrder::Ascending,
            total: TotalOf::Page,
            quotes: Quotes::Single,
            without_message: false,
            newer_fields: false,
            open_ends: false,
            parent_has_all_lines: true,
            simple_items_have_no_sku_row: false,
        }
    }
}

impl Settings {
    pub(super) fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The phase that an order gets by itself.
    pub(super) fn phase_of(&self, stage: Stage) -> &str {
        let found = self.phases.iter().find(|phase| phase.stage == Some(stage));
        found.map(|phase| phase.name.as_str()).unwrap_or_default()
    }
}

impl CrossMall {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// The phases of both accounts. An order gets the first of its stage by itself.
    #[must_use]
    pub fn phases(self, phases: Vec<Phase>) -> Self {
        self.change(|settings| settings.phases = phases)
    }

    /// Most rows of an answer, from 1 to 100 (the default).
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.clamp(1, 100))
    }

    /// Calls a second; one more is 429. None (the default): as many as one likes, as no limit is known.
    #[must_use]
    pub fn limit(self, calls: Option<u32>) -> Self {
        self.change(|settings| settings.limit = calls.map(|requests| RateLimit { requests, seconds: 1 }))
    }

    /// The HTTP status of an unknown account, a wrong signature or a refused address. 200 by default.
    #[must_use]
    pub fn auth_status(self, status: u16) -> Self {
        self.change(|settings| settings.auth_status = status)
    }

    /// The caller's address is not in the account's list.
    #[must_use]
    pub fn address_refused(self, refused: bool) -> Self {
        self.change(|settings| settings.address_refused = refused)
    }

    /// How long after its time of order an order comes in from its shop.
    #[must_use]
    pub fn import_lag(self, seconds: u32) -> Self {
        self.change(|settings| settings.import_lag_seconds = seconds)
    }

    /// Whether `delivery_no` is taken for an unknown parameter: success, and nothing is stored.
    #[must_use]
    pub fn ignore_tracking(self, ignored: bool) -> Self {
        self.change(|settings| settings.ignore_tracking = ignored)
    }

    /// In which order `get_order` lists.
    #[must_use]
    pub fn row_order(self, order: RowOrder) -> Self {
        self.change(|settings| settings.row_order = order)
    }

    /// What `TotalResult` counts.
    #[must_use]
    pub fn total(self, total: TotalOf) -> Self {
        self.change(|settings| settings.total = total)
    }

    /// How the numbers of rows are quoted.
    #[must_use]
    pub fn quotes(self, quotes: Quotes) -> Self {
        self.change(|settings| settings.quotes = quotes)
    }

    /// Leaves out an empty `Message`.
    #[must_use]
    pub fn without_message(self, left_out: bool) -> Self {
        self.change(|settings| settings.without_message = left_out)
    }

    /// Adds the fields of newer answers.
    #[must_use]
    pub fn newer_fields(self, added: bool) -> Self {
        self.change(|settings| settings.newer_fields = added)
    }

    /// Whether the ends of `updated_at` ranges don't belong to them. They do by default.
    #[must_use]
    pub fn open_ends(self, open: bool) -> Self {
        self.change(|settings| settings.open_ends = open)
    }

    /// Whether a bundle's parent shows its children's lines, too. It does by default.
    #[must_use]
    pub fn parent_has_all_lines(self, all: bool) -> Self {
        self.change(|settings| settings.parent_has_all_lines = all)
    }

    /// Whether `get_item_sku` gives no row for items without attributes, instead of one with empty ones.
    #[must_use]
    pub fn simple_items_have_no_sku_row(self, none: bool) -> Self {
        self.change(|settings| settings.simple_items_have_no_sku_row = none)
    }
}
