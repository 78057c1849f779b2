//! Orders by window: `GetShippingInfo_v3` (sheet 4.1), and what its rows share with the detail of one order.

use serde::Serialize;

use super::answer::{Done, Failure, Outcome};
use super::call::Window;
use super::methods::Visit;
use super::wording::{Num, Spelling, day_of, status_digit};
use crate::Amount;
use crate::market::{Address, Axis, Line, LineState, MarketState, Order};

/// `ShippingBasic.GetShippingInfo_v3`.
pub(super) fn search(visit: &Visit<'_>) -> Outcome {
    let call = visit.call;
    let window = call
        .window("SearchStartDate", "SearchEndDate")
        .ok_or_else(|| Failure::new(-10002, "Please check SearchStartDate and SearchEndDate"))?;
    let statuses: &[u8] = match call.text("ShippingStatus") {
        "" | "0" => &[1, 2, 3],
        "1" => &[1],
        "2" => &[2],
        "3" => &[3],
        "4" => &[4],
        "5" => &[5],
        _ => return Err(Failure::processing("ShippingStatus must be 1 to 5")),
    };
    let condition = Condition::parse(call.text("SearchCondition"))?;
    let wording = visit.desk.face.settings().wording;
    visit.market().read(|state| {
        let wanted = |order: &Order, line: &Line| {
            // A cancelled line is a claim and no shipment any more; one with an open request still is.
            line.state != LineState::Cancelled
                && order.seller == visit.seller
                && statuses.contains(&status_digit(line.progress(order.paid_at.is_some())))
                && condition.takes(order, line, window)
        };
        let lines = condition
            .orders(state, window)
            .flat_map(|order| order.lines.iter().map(move |line| (order, line)));
        let rows: Vec<Row<'_>> = lines
            .filter(|(order, line)| wanted(order, line))
            .map(|(order, line)| Row::of(state, order, line, Spelling::of(wording, line.number)))
            .collect();
        Done::rows(&rows)
    })
}

/// Which date the window is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Ordered,
    Paid,
    Shipped,
    Delivered,
}

impl Condition {
    fn parse(text: &str) -> Result<Self, Failure> {
        match text {
            "" | "1" => Ok(Self::Ordered),
            "2" => Ok(Self::Paid),
            "3" => Ok(Self::Shipped),
            "4" => Ok(Self::Delivered),
            _ => Err(Failure::processing("SearchCondition must be 1 to 4")),
        }
    }

    fn takes(self, order: &Order, line: &Line, window: Window) -> bool {
        window.holds(match self {
            Self::Ordered => Some(order.ordered_at),
            Self::Paid => order.paid_at,
            Self::Shipped => line.shipped_at,
            Self::Delivered => line.delivered_at,
        })
    }

    /// The orders to look at: by payment time from the index, else all.
    fn orders<'a>(self, state: &'a MarketState, window: Window) -> Box<dyn Iterator<Item = &'a Order> + 'a> {
        match self {
            Self::Paid => Box::new(state.paid_between(window.from, window.until)),
            _ => Box::new(state.orders().iter()),
        }
    }
}

pub(super) fn option_text(axes: &[Axis]) -> String {
    let axes: Vec<String> = axes.iter().map(|axis| format!("{} : {}", axis.name, axis.value)).collect();
    axes.join(" / ")
}

fn street(address: &Address) -> String {
    [&*address.region, &address.city, &address.line1].concat()
}

pub(super) fn whole_address(address: &Address) -> String {
    let street = street(address);
    if address.line2.is_empty() { street } else { format!("{street} {}", address.line2) }
}

/// The other order numbers of the cart.
fn related(state: &MarketState, order: &Order, line: &Line) -> String {
    let others =
        state.in_cart(order.cart).flat_map(|order| &order.lines).filter(|other| other.number != line.number);
    others.map(|other| other.number.to_string()).collect::<Vec<_>>().join(", ")
}

/// The fee is charged once an order: its first row carries it.
pub(super) fn shipping_fee(order: &Order, line: &Line) -> (Amount, &'static str) {
    let first = order.lines.first().is_some_and(|first| first.number == line.number);
    if first && order.shipping_fee > Amount::ZERO {
        (order.shipping_fee, "Charge")
    } else {
        (Amount::ZERO, "Free")
    }
}

/// What the seller gets: the sample's 90 percent.
fn settled(line: &Line) -> Amount {
    Amount::hundredths(line.total().as_hundredths() * 9 / 10)
}

/// Given at confirmation, like JPP22894429.
pub(super) fn packing_no(line: &Line) -> String {
    line.confirmed_at.map(|_| format!("JPP{:08}", line.number.0 % 100_000_000)).unwrap_or_default()
}

pub(super) fn seller_delivery_no(line: &Line) -> String {
    let number = |at| format!("{}-{:04}", day_of(at).format("%y%m%d"), line.number.0 % 10_000);
    line.shipped_at.map(number).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    shipping_status: String,
    #[serde(rename = "SellerID")]
    seller_id: &'a str,
    pack_no: u64,
    order_date: String,
    payment_date: String,
    estimated_shipping_date: String,
    shipping_date: String,
    delivered_date: String,
    buyer: &'a str,
    buyer_kana: &'a str,
    buyer_tel: &'a str,
    buyer_mobile: &'a str,
    buyer_email: &'a str,
    order_no: u64,
    item_no: String,
    seller_item_code: &'a str,
    item_title: &'a str,
    option: String,
    option_code: &'a str,
    order_price: Num,
    order_qty: Num,
    discount: Num,
    total: Num,
    receiver: &'a str,
    receiver_kana: &'a str,
    zip_code: &'a str,
    shipping_address: String,
    address1: String,
    address2: &'a str,
    receiver_tel: &'a str,
    receiver_mobile: &'a str,
    desired_delivery_date: String,
    sender_name: &'a str,
    sender_tel: &'a str,
    sender_nation: &'a str,
    sender_zip_code: &'a str,
    sender_address: &'a str,
    shipping_way: &'a str,
    shipping_message: &'a str,
    payment_method: &'a str,
    seller_discount: Num,
    currency: &'a str,
    shipping_rate: Num,
    related_order: String,
    shipping_rate_type: &'a str,
    delivery_company: &'a str,
    voucher_code: &'a str,
    packing_no: String,
    seller_delivery_no: String,
    gift: &'a str,
    cart_discount_seller: Num,
    #[serde(rename = "CartDiscountQoo10")]
    cart_discount_qoo10: Num,
    settle_price: Num,
    branch_name: &'a str,
    tracking_no: &'a str,
    material: &'a str,
    available_send_type: &'a str,
    available_shipping_date: String,
}

impl<'a> Row<'a> {
    fn of(state: &MarketState, order: &'a Order, line: &'a Line, spelling: Spelling) -> Self {
        let parcel = order.parcel_of(line.number);
        let (fee, fee_type) = shipping_fee(order, line);
        Self {
            shipping_status: spelling.status(line.progress(order.paid_at.is_some())),
            seller_id: &order.seller,
            pack_no: order.cart,
            order_date: spelling.time(Some(order.ordered_at)),
            payment_date: spelling.time(order.paid_at),
            estimated_shipping_date: spelling.day(line.promise.as_ref().map(|promise| promise.date)),
            shipping_date: spelling.time(line.shipped_at),
            delivered_date: spelling.time(line.delivered_at),
            buyer: &order.buyer.name,
            buyer_kana: &order.buyer.reading,
            buyer_tel: &order.buyer.phone,
            buyer_mobile: &order.buyer.mobile,
            buyer_email: &order.buyer.email,
            order_no: line.number.0,
            item_no: line.item.to_string(),
            seller_item_code: &line.seller_code,
            item_title: &line.title,
            option: option_text(&line.axes),
            option_code: &line.option_sku,
            order_price: spelling.amount(line.unit_price),
            order_qty: spelling.count(i64::from(line.quantity)),
            discount: spelling.amount(line.discount),
            total: spelling.amount(line.total()),
            receiver: &order.recipient.name,
            receiver_kana: &order.recipient.reading,
            zip_code: &order.address.postal_code,
            shipping_address: whole_address(&order.address),
            address1: street(&order.address),
            address2: &order.address.line2,
            receiver_tel: &order.recipient.phone,
            receiver_mobile: &order.recipient.mobile,
            desired_delivery_date: spelling.day(order.desired_delivery),
            sender_name: "",
            sender_tel: "",
            sender_nation: "JP",
            sender_zip_code: "",
            sender_address: "",
            shipping_way: "宅配便",
            shipping_message: &order.message,
            payment_method: &order.payment_method,
            seller_discount: spelling.amount(line.discount),
            currency: &order.currency,
            shipping_rate: spelling.amount(fee),
            related_order: related(state, order, line),
            shipping_rate_type: fee_type,
            delivery_company: parcel.map(|parcel| &*parcel.carrier).unwrap_or_default(),
            voucher_code: "",
            packing_no: packing_no(line),
            seller_delivery_no: seller_delivery_no(line),
            gift: "",
            cart_discount_seller: spelling.amount(Amount::ZERO),
            cart_discount_qoo10: spelling.amount(Amount::ZERO),
            settle_price: spelling.amount(settled(line)),
            branch_name: "",
            tracking_no: parcel.map(|parcel| &*parcel.tracking).unwrap_or_default(),
            material: "",
            available_send_type: "0",
            available_shipping_date: spelling.day(order.paid_at.map(day_of)),
        }
    }
}
