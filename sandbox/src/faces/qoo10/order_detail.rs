//! One order with its claim: `GetShippingAndClaimInfoByOrderNo_V2` (sheet 4.2). The same data in other spellings.

use std::borrow::Cow;

use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::claims::claim_digit;
use super::methods::{NoLine, Visit};
use super::orders::{option_text, packing_no, seller_delivery_no, shipping_fee, whole_address};
use super::wording::{Num, Spelling};
use crate::Amount;
use crate::market::{Line, Order};

/// `ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2`.
pub(super) fn one(visit: &Visit<'_>) -> Outcome {
    let wording = visit.desk.face.settings().wording;
    let found = visit.with_line(visit.call.text("OrderNo"), |order, line| {
        Done::rows(&[Detail::of(order, line, Spelling::of(wording, line.number))])
    });
    match found {
        Ok((_, outcome)) => outcome,
        Err(NoLine::Malformed) => Err(Failure::new(-10002, "Please check the order number")),
        Err(NoLine::Unknown | NoLine::Foreign) => {
            Err(Failure::new(-10003, "The order number does not exist"))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    shipping_status: String,
    #[serde(rename = "sellerID")]
    seller_id: &'a str,
    pack_no: u64,
    order_date: String,
    #[serde(rename = "PaymentDate")]
    payment_date: String,
    est_shipping_date: String,
    shipping_date: String,
    #[serde(rename = "DeliveredDate")]
    delivered_date: String,
    buyer: &'a str,
    #[serde(rename = "buyer_gata")]
    buyer_gata: &'a str,
    buyer_tel: &'a str,
    buyer_mobile: &'a str,
    buyer_email: &'a str,
    order_no: u64,
    item_code: String,
    seller_item_code: &'a str,
    item_title: &'a str,
    option: String,
    option_code: &'a str,
    order_price: Num,
    order_qty: Num,
    discount: Num,
    total: Num,
    receiver: &'a str,
    #[serde(rename = "receiver_gata")]
    receiver_gata: &'a str,
    shipping_country: &'a str,
    zip_code: &'a str,
    shipping_addr: String,
    receiver_tel: &'a str,
    receiver_mobile: &'a str,
    hope_date: String,
    sender_name: &'a str,
    sender_tel: &'a str,
    sender_nation: &'a str,
    sender_zip_code: &'a str,
    sender_addr: &'a str,
    #[serde(rename = "ShippingWay")]
    shipping_way: &'a str,
    #[serde(rename = "ShippingMsg")]
    shipping_msg: &'a str,
    #[serde(rename = "PaymentMethod")]
    payment_method: &'a str,
    payment_nation: &'a str,
    currency: &'a str,
    shipping_rate: Num,
    shipping_rate_type: &'a str,
    #[serde(rename = "PackingNo")]
    packing_no: String,
    #[serde(rename = "SellerDeliveryNo")]
    seller_delivery_no: String,
    #[serde(rename = "VoucherCode")]
    voucher_code: &'a str,
    #[serde(rename = "Gift")]
    gift: &'a str,
    #[serde(rename = "cod_price")]
    cod_price: Num,
    #[serde(rename = "Cart_Discount_Seller")]
    cart_discount_seller: Num,
    #[serde(rename = "Cart_Discount_Qoo10")]
    cart_discount_qoo10: Num,
    delivery_company: &'a str,
    tracking_no: &'a str,
    claim_status: Cow<'a, str>,
    cancel_refund_date: String,
    reason: &'a str,
    request_date: String,
}

impl<'a> Detail<'a> {
    fn of(order: &'a Order, line: &'a Line, spelling: Spelling) -> Self {
        let parcel = order.parcel_of(line.number);
        let claim = order.claim_on(line.number);
        let (fee, fee_type) = shipping_fee(order, line);
        Self {
            shipping_status: spelling.status(line.progress(order.paid_at.is_some())),
            seller_id: &order.seller,
            pack_no: order.cart,
            order_date: spelling.time(Some(order.ordered_at)),
            payment_date: spelling.time(order.paid_at),
            est_shipping_date: spelling.day(line.promise.as_ref().map(|promise| promise.date)),
            shipping_date: spelling.time(line.shipped_at),
            delivered_date: spelling.time(line.delivered_at),
            buyer: &order.buyer.name,
            buyer_gata: &order.buyer.reading,
            buyer_tel: &order.buyer.phone,
            buyer_mobile: &order.buyer.mobile,
            buyer_email: &order.buyer.email,
            order_no: line.number.0,
            item_code: line.item.to_string(),
            seller_item_code: &line.seller_code,
            item_title: &line.title,
            option: option_text(&line.axes),
            option_code: &line.option_sku,
            order_price: spelling.amount(line.unit_price),
            order_qty: spelling.count(i64::from(line.quantity)),
            discount: spelling.amount(line.discount),
            total: spelling.amount(line.total()),
            receiver: &order.recipient.name,
            receiver_gata: &order.recipient.reading,
            shipping_country: &order.address.country,
            zip_code: &order.address.postal_code,
            shipping_addr: whole_address(&order.address),
            receiver_tel: &order.recipient.phone,
            receiver_mobile: &order.recipient.mobile,
            hope_date: spelling.day(order.desired_delivery),
            sender_name: "",
            sender_tel: "",
            sender_nation: "JP",
            sender_zip_code: "",
            sender_addr: "",
            shipping_way: "宅配便",
            shipping_msg: &order.message,
            payment_method: &order.payment_method,
            payment_nation: &order.address.country,
            currency: &order.currency,
            shipping_rate: spelling.amount(fee),
            shipping_rate_type: fee_type,
            packing_no: packing_no(line),
            seller_delivery_no: seller_delivery_no(line),
            voucher_code: "",
            gift: "",
            cod_price: spelling.amount(Amount::ZERO),
            cart_discount_seller: spelling.amount(Amount::ZERO),
            cart_discount_qoo10: spelling.amount(Amount::ZERO),
            delivery_company: parcel.map(|parcel| &*parcel.carrier).unwrap_or_default(),
            tracking_no: parcel.map(|parcel| &*parcel.tracking).unwrap_or_default(),
            claim_status: claim.map(|claim| Cow::Owned(claim_digit(claim).to_string())).unwrap_or_default(),
            cancel_refund_date: spelling.time(claim.and_then(|claim| claim.settled_at)),
            reason: claim.map(|claim| &*claim.reason).unwrap_or_default(),
            request_date: spelling.time(claim.map(|claim| claim.requested_at)),
        }
    }
}
