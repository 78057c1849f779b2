//! The rules of the specification, by id.

use std::borrow::Cow;
use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        /// A rule of the specification (options.md).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Its id, like `OS-3`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

rules! {
    /// A cycle every hour.
    Os1 = "OS-1";
    /// The first cycle takes orders since midnight.
    Os2 = "OS-2";
    /// Shipped, cancelled, cancel-requested and unpaid orders are not linked.
    Os3 = "OS-3";
    /// At most so many orders a cycle; the rest comes next.
    Os4 = "OS-4";
    /// Night cycles take what the day before left.
    Os5 = "OS-5";
    /// A cycle that fails loses nothing.
    Os6 = "OS-6";
    /// Windows overlap.
    Os7 = "OS-7";
    /// Manual runs.
    Os8 = "OS-8";
    /// Deleted stays deleted.
    Os9 = "OS-9";
    /// Open orders are re-read.
    Os10 = "OS-10";
    /// A bad row spoils only itself.
    Os11 = "OS-11";
    /// The newest state wins.
    Os12 = "OS-12";
    /// Reports add up.
    Os13 = "OS-13";
    /// Full auto confirmation.
    Oc1 = "OC-1";
    /// Manual confirmation.
    Oc2 = "OC-2";
    /// No confirmation on this channel.
    Oc3 = "OC-3";
    /// Deleting makes no call.
    Oc4 = "OC-4";
    /// Confirmed in the back office.
    Oc5 = "OC-5";
    /// Not with a cancel request.
    Oc6 = "OC-6";
    /// One refusal blocks no other.
    Oc7 = "OC-7";
    /// Instructed when confirmed.
    Fi1 = "FI-1";
    /// Instruction does not depend on how it was confirmed.
    Fi2 = "FI-2";
    /// Instruction by hand.
    Fi3 = "FI-3";
    /// Instructed once.
    Fi4 = "FI-4";
    /// What a fulfilment order is.
    Fi5 = "FI-5";
    /// The centre's shipment goes to the channel.
    Fi6 = "FI-6";
    /// Instructed after the hold.
    Fi7 = "FI-7";
    /// Share and reserve.
    Ss1 = "SS-1";
    /// Only linked listings.
    Ss2 = "SS-2";
    /// Only differences.
    Ss3 = "SS-3";
    /// Not real time.
    Ss4 = "SS-4";
    /// Up and down.
    Ss5 = "SS-5";
    /// Each account its own share.
    Ss6 = "SS-6";
    /// Off pushes nothing.
    Ss7 = "SS-7";
    /// No stock on this channel.
    Ss8 = "SS-8";
    /// Lower first.
    Ss9 = "SS-9";
    /// Bundles.
    Ss10 = "SS-10";
    /// Reconciliation.
    Ss11 = "SS-11";
    /// Processing and statistics.
    Am1 = "AM-1";
    /// Statistics only.
    Am2 = "AM-2";
    /// Statistics only follows all.
    Am3 = "AM-3";
    /// Sales analytics.
    Am4 = "AM-4";
    /// Follow what was dispatched here.
    Dt1 = "DT-1";
    /// Follow all.
    Dt2 = "DT-2";
    /// How often, and when it ends.
    Dt3 = "DT-3";
    /// Health.
    Ah1 = "AH-1";
    /// Resumes by itself.
    Ah2 = "AH-2";
    /// No sleep beyond the budget.
    Ah3 = "AH-3";
    /// Connection test.
    Ct1 = "CT-1";
    /// Ship date offset.
    Sd1 = "SD-1";
    /// Working days.
    Sd2 = "SD-2";
    /// Sent with the confirmation.
    Sd3 = "SD-3";
    /// Never changes.
    Sd4 = "SD-4";
    /// Buyer notices.
    Nb1 = "NB-1";
    /// Expiry is kept.
    Ke1 = "KE-1";
    /// Warnings and pause.
    Ke2 = "KE-2";
    /// Renewal replaces all parts.
    Ke3 = "KE-3";
    /// After renewal nothing is missing.
    Ke4 = "KE-4";
    /// Option code is informative.
    Rc1 = "RC-1";
    /// Option code is the SKU.
    Rc2 = "RC-2";
    /// Pick-up or drop-off.
    Hm1 = "HM-1";
    /// Only after authorisation.
    Hm2 = "HM-2";
    /// Nothing is guessed.
    Hm3 = "HM-3";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is done or not done: the rule, and one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The rule that decides.
    pub rule: Rule,
    /// The sentence.
    pub text: Cow<'static, str>,
}

impl Reason {
    /// A reason.
    pub fn new(rule: Rule, text: impl Into<Cow<'static, str>>) -> Self {
        Self { rule, text: text.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.rule)
    }
}
