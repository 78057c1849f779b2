//! Receipts: claims of the market as the channel's cancel and return requests (sheet 4.9). Pure.

use serde_json::{Value, json};

use super::boxes::Ledger;
use super::ids;
use super::settings::Market;
use super::sheet_row::Version;
use crate::Amount;
use crate::market::{Claim, ClaimKind, ClaimState, Line, LineState, Order};

/// A claim as a receipt.
pub(super) struct Receipt<'a> {
    pub(super) id: u64,
    pub(super) order: &'a Order,
    pub(super) line: &'a Line,
    pub(super) claim: &'a Claim,
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    /// Shipped Y, not N, stopped S.
    pub(super) release: &'static str,
}

impl<'a> Receipt<'a> {
    /// None for claims that don't show here: taken back, refused, exchanges, unpaid.
    pub(super) fn of(order: &'a Order, at: usize, ledger: &Ledger) -> Option<Self> {
        let claim = order.claims.get(at)?;
        let line = order.line(claim.line)?;
        let left = line.shipped_at.is_some();
        let (kind, status, release) = match (claim.kind, claim.state) {
            (_, ClaimState::Withdrawn | ClaimState::Refused) => return None,
            (ClaimKind::Cancel, ClaimState::Done) if is_while_paid(line, claim) => {
                ("CANCEL", "RETURNS_COMPLETED", "N")
            }
            (ClaimKind::Cancel, ClaimState::Done) => ("RETURN", "RETURNS_COMPLETED", "S"),
            (ClaimKind::Cancel, _) if left => ("RETURN", "RETURNS_UNCHECKED", "Y"),
            (ClaimKind::Cancel, _) => ("RETURN", "RELEASE_STOP_UNCHECKED", "N"),
            (ClaimKind::Return, ClaimState::Requested) => ("RETURN", "RETURNS_UNCHECKED", "Y"),
            (ClaimKind::Return, ClaimState::InProgress) => ("RETURN", "VENDOR_WAREHOUSE_CONFIRM", "Y"),
            (ClaimKind::Return, ClaimState::Done) => ("RETURN", "RETURNS_COMPLETED", "Y"),
            (ClaimKind::Exchange | ClaimKind::NotReceived | ClaimKind::Unpaid, _) => return None,
        };
        let id =
            ledger.receipts.get(&(claim.line, at)).copied().unwrap_or_else(|| ids::receipt(claim.line, at));
        Some(Self { id, order, line, claim, kind, status, release })
    }

    /// Whether a search for this status finds it.
    pub(super) fn is_under(&self, status: &str) -> bool {
        match status {
            "RU" => self.status == "RELEASE_STOP_UNCHECKED",
            "UC" => matches!(
                self.status,
                "RELEASE_STOP_UNCHECKED" | "RETURNS_UNCHECKED" | "VENDOR_WAREHOUSE_CONFIRM"
            ),
            "CC" => self.status == "RETURNS_COMPLETED",
            "PR" => self.status == "REQUEST_COUPANG_CHECK",
            _ => false,
        }
    }

    /// Whether the seller can still answer it: nothing has left.
    pub(super) fn is_open(&self) -> bool {
        self.claim.is_open() && self.release == "N"
    }

    fn release_stop(&self) -> &'static str {
        match (self.release, self.status) {
            ("N", "RELEASE_STOP_UNCHECKED") => "미처리",
            ("S", _) => "처리(출고중지)",
            ("Y", _) if self.claim.kind == ClaimKind::Cancel => "처리(이미출고)",
            _ => "비대상",
        }
    }

    pub(super) fn row(&self, ledger: &Ledger, version: Version, market: Market) -> Value {
        let Self { order, line, claim, .. } = *self;
        let time = |time| super::dates::local(time, market);
        let found = ledger.box_of(order.number, line.number);
        json!({
            "receiptId": self.id,
            "orderId": ids::order_id(order.number),
            "paymentId": ids::order_id(order.number) + 1,
            "receiptType": self.kind,
            "receiptStatus": self.status,
            "createdAt": time(claim.requested_at),
            "modifiedAt": time(claim.settled_at.unwrap_or(claim.requested_at)),
            "requesterName": order.buyer.name,
            "requesterPhoneNumber": order.buyer.mobile,
            "requesterRealPhoneNumber": null,
            "requesterAddress": format!("{} {}", order.address.region, order.address.city),
            "requesterAddressDetail": format!("{} {}", order.address.line1, order.address.line2),
            "requesterZipCode": order.address.postal_code,
            "cancelReasonCategory1": "고객변심",
            "cancelReasonCategory2": "단순변심(사유없음)",
            "cancelReason": claim.reason,
            "cancelCountSum": claim.quantity,
            "returnDeliveryId": 0,
            "returnDeliveryType": "",
            "releaseStopStatus": self.release_stop(),
            "enclosePrice": version.money(Amount::ZERO, market),
            "faultByType": "CUSTOMER",
            "preRefund": false,
            "completeConfirmDate": "",
            "completeConfirmType": "UNDEFINED",
            "returnItems": [{
                "vendorItemPackageId": 0,
                "vendorItemPackageName": line.title,
                "vendorItemId": ids::vendor_item(line),
                "vendorItemName": line.title,
                "purchaseCount": line.quantity,
                "cancelCount": claim.quantity,
                "shipmentBoxId": found.map(|found| found.id),
                "sellerProductId": ids::seller_product(line),
                "sellerProductName": line.title,
                "releaseStatus": self.release,
            }],
            "returnDeliveryDtos": [],
        })
    }
}

/// Whether it was cancelled before the seller confirmed it.
fn is_while_paid(line: &Line, claim: &Claim) -> bool {
    match (line.confirmed_at, claim.settled_at) {
        (None, _) => line.state == LineState::Cancelled || line.shipped_at.is_none(),
        (Some(confirmed), Some(settled)) => settled < confirmed,
        (Some(_), None) => false,
    }
}
