//! How far an order is and what holds it: the tables of "Orders".

use serde::{Deserialize, Serialize};

use crate::model::{Hold, OrderStatus};
use crate::xml::Element;

use super::wire::{filled, flag};

/// What keeps an order from being changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Block {
    /// The buyer's ten minutes.
    ReadOnly,
    /// A fraud check, under way or found against it.
    Fraud,
    /// Split into two other orders.
    Split,
    /// Yamato fulfils it for the store.
    YamatoShips,
    /// `ShipStatus` 0.
    NotShippable,
    /// Another hold.
    Held,
}

impl Block {
    /// Why, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ReadOnly => {
                "the buyer can still cancel it: it can be changed 10 minutes after it was ordered"
            }
            Self::Fraud => "the channel holds it for a fraud check: only a cancellation is possible",
            Self::Split => "it was split into two other orders: those are shipped",
            Self::YamatoShips => "Yamato fulfils it for the store",
            Self::NotShippable => "the channel has not released it for shipping yet",
            Self::Held => "it is on hold at the channel",
        }
    }

    /// Whether it keeps an order from being confirmed.
    pub(super) fn bars_confirmation(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Fraud | Self::Split)
    }
}

/// The fields of an order that say how far it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags<'a> {
    pub(super) order: &'a str,
    pub(super) ship: &'a str,
    pub(super) cancel_reason: &'a str,
    pub(super) pay_type: &'a str,
    pub(super) pay: &'a str,
    pub(super) settle: &'a str,
    pub(super) seen: Option<bool>,
    pub(super) split: bool,
    pub(super) children: &'a str,
    pub(super) read_only: bool,
    pub(super) fraud: &'a str,
    pub(super) suspect: &'a str,
    pub(super) line_gift: bool,
    pub(super) line_shippable: bool,
    pub(super) drug: bool,
    pub(super) drug_agreed: bool,
    pub(super) instruct_type: &'a str,
}

impl<'a> Flags<'a> {
    /// Of an order as `orderInfo` gives it.
    pub(super) fn of(order: &'a Element<'_>, pay: &'a Element<'_>, ship: &'a Element<'_>) -> Self {
        let yes = |name| flag(order.field(name)) == Some(true);
        // Fields of a group are read there; should one stand beside the groups, it counts too.
        let of =
            |group: &'a Element<'_>, name| filled(group.field(name)).unwrap_or_else(|| order.field(name));
        Self {
            order: order.field("OrderStatus"),
            ship: of(ship, "ShipStatus"),
            cancel_reason: order.field("CancelReason"),
            pay_type: of(pay, "PayType"),
            pay: of(pay, "PayStatus"),
            settle: of(pay, "SettleStatus"),
            seen: flag(order.field("IsSeen")),
            split: yes("IsSplit"),
            children: order.field("ChildOrderId"),
            read_only: yes("IsReadOnly"),
            fraud: order.field("FraudHoldStatus"),
            suspect: order.field("Suspect"),
            line_gift: yes("IsLineGiftOrder"),
            line_shippable: flag(of(ship, "IsLineGiftShippable")) == Some(true),
            drug: yes("IsFirstClassDrugIncludes"),
            drug_agreed: yes("IsFirstClassDrugAgreement"),
            instruct_type: of(ship, "ShipInstructType"),
        }
    }

    /// How far the order is: the first row of the table that fits.
    ///
    /// Two rows differ from the channel's own words. A split order that names its children stands for nothing any more:
    /// it counts as cancelled, so that nobody packs it and it holds no stock beside them. And what the channel does not
    /// hand to the store yet (the buyer's ten minutes, a fraud check) is not "new": it is watched, and holds its stock.
    pub(super) fn status(&self) -> OrderStatus {
        match (self.order, self.ship) {
            ("4", _) if self.cancel_reason == "110" => return OrderStatus::Returned,
            ("4", _) => return OrderStatus::Cancelled,
            (_, "4") => return OrderStatus::Delivered,
            (_, "3") | ("5", _) => return OrderStatus::Shipped,
            _ => {}
        }
        if self.is_replaced() {
            return OrderStatus::Cancelled;
        }
        if self.is_prepaid_unpaid() {
            return OrderStatus::PendingPayment;
        }
        if !matches!(self.order, "1" | "2" | "3") {
            return OrderStatus::Unknown;
        }
        if self.read_only || matches!(self.fraud, "1" | "3") {
            return OrderStatus::PendingPayment;
        }
        match self.seen {
            _ if self.order == "2" && self.ship == "2" => OrderStatus::Confirmed,
            Some(false) => OrderStatus::New,
            Some(true) => OrderStatus::Confirmed,
            None => OrderStatus::Unknown,
        }
    }

    /// Whether it was split and says into what.
    fn is_replaced(&self) -> bool {
        self.split && filled(self.children).is_some()
    }

    /// Whether it has to be paid first and is not.
    pub(super) fn is_prepaid_unpaid(&self) -> bool {
        self.pay_type == "1" && self.pay == "0"
    }

    /// What keeps an open order from being changed or shipped.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let table = [
            (self.read_only, Block::ReadOnly),
            (matches!(self.fraud, "1" | "3"), Block::Fraud),
            (self.split, Block::Split),
            (matches!(self.instruct_type, "101" | "102" | "103" | "104"), Block::YamatoShips),
            (self.ship == "0", Block::NotShippable),
        ];
        table.into_iter().filter(|(is, _)| *is).map(|(_, block)| block).collect()
    }

    /// What holds an open order, each once.
    pub(super) fn holds(&self) -> Vec<Hold> {
        let unpaid = matches!(self.pay, "0");
        let table = [
            (self.split && !self.is_replaced(), Hold::ChangePending),
            (matches!(self.settle, "8" | "10" | "12"), Hold::PaymentInProcess),
            (self.ship == "0" && unpaid, Hold::PaymentInProcess),
            (self.ship == "0" && !unpaid, Hold::OnHold),
            (self.order != "2", Hold::OnHold),
            (self.read_only, Hold::OnHold),
            (matches!(self.fraud, "1" | "3"), Hold::OnHold),
            (self.suspect == "1", Hold::OnHold),
            (self.drug && !self.drug_agreed, Hold::OnHold),
            // Somebody else ships it: packing it here too would ship it twice.
            (matches!(self.instruct_type, "101" | "102" | "103" | "104"), Hold::OnHold),
            (self.line_gift && !self.line_shippable, Hold::AddressWithheld),
        ];
        let mut holds = Vec::new();
        for (_, hold) in table.into_iter().filter(|(is, _)| *is) {
            if !holds.contains(&hold) {
                holds.push(hold);
            }
        }
        holds
    }
}
