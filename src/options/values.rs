//! Values that can't be wrong.

use serde::{Deserialize, Serialize};

/// A share in whole percent, 1 to 100 (SS-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Percent(u8);

impl Percent {
    /// `None` outside 1 to 100.
    pub fn new(percent: i64) -> Option<Self> {
        u8::try_from(percent).ok().filter(|p| (1..=100).contains(p)).map(Self)
    }

    /// The number, 1 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Days from the day of confirmation to the expected ship date: D+0 to D+3 (SD-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ShipOffset(u8);

impl ShipOffset {
    /// `None` outside 0 to 3.
    pub fn new(days: i64) -> Option<Self> {
        u8::try_from(days).ok().filter(|d| *d <= 3).map(Self)
    }

    /// The number, 0 to 3.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Who confirms orders (OC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// The library, in the cycle that links the order (OC-1).
    #[default]
    FullAuto,
    /// The application, order by order (OC-2).
    Manual,
}

/// What the account is for (AM).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountMode {
    /// Orders are processed and counted (AM-1).
    #[default]
    ProcessingAndStatistics,
    /// Orders are counted only (AM-2).
    StatisticsOnly,
}

/// Which orders are followed until they arrive (DT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryTracking {
    /// Those that were dispatched through the library (DT-1).
    #[default]
    ProcessedHere,
    /// Every linked order (DT-2).
    AllCollected,
}

/// What is done with quantities that differ from what they should be (SS-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconcile {
    /// They are not looked for.
    #[default]
    Off,
    /// They are reported.
    Report,
    /// They are reported and put right.
    Repair,
}

/// How much of the stock a channel shows (SS-1), as the merchant entered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockShare {
    /// Whole percent; 1 to 100 are good.
    pub share_percent: i64,
    /// Pieces kept back before the share is taken; 0 or more are good.
    #[serde(default)]
    pub reserve: i64,
}
