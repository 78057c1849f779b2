//! The merchant's choices: as chosen ([`OptionSet`], may be wrong), as in force for one account
//! ([`EffectiveOptions`], cannot be wrong), and as data for a settings screen ([`describe`]).

mod catalogue;
mod check;
mod describe;
mod effective;
mod set;
mod values;

pub use check::{AccountFacts, OptionError, OptionErrors};
pub use describe::{
    ChoiceDescription, DescribedOption, OptionDescription, OptionKind, describe, json_schema,
};
pub use effective::{ConfirmPolicy, EffectiveOptions, StockPolicy};
pub use set::{OptionKey, OptionSet};
pub use values::{AccountMode, Confirmation, DeliveryTracking, Percent, Reconcile, ShipOffset, StockShare};
