//! The methods by name, and the checks that all of them share.

use std::sync::atomic::Ordering;

use axum::response::Response;

use super::answer::{Outcome, framework_error, respond};
use super::call::Call;
use super::{Qoo10, claims, confirm, dispatch, keys, listings, order_detail, orders, stock};
use crate::market::{Acting, Actor, Line, LineNumber, Order};
use crate::{FaceContext, lock};

/// A method of the API.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    versions: &'static [&'static str],
    /// Whether it changes anything.
    pub(crate) changes: bool,
    run: Run,
}

enum Run {
    /// As the seller whose key it is.
    AsSeller(fn(&Visit<'_>) -> Outcome),
    /// Makes its own check of the key.
    Unchecked(fn(&Desk, &Call) -> Outcome),
}

const V1: &[&str] = &["1.0"];

const fn read(name: &'static str, run: fn(&Visit<'_>) -> Outcome) -> Method {
    Method { name, versions: V1, changes: false, run: Run::AsSeller(run) }
}

const fn change(name: &'static str, run: fn(&Visit<'_>) -> Outcome) -> Method {
    Method { name, versions: V1, changes: true, run: Run::AsSeller(run) }
}

const METHODS: &[Method] = &[
    Method {
        name: "CertificationAPI.CreateCertificationKey",
        versions: V1,
        changes: true,
        run: Run::Unchecked(keys::create),
    },
    read("ShippingBasic.GetShippingInfo_v3", orders::search),
    read("ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2", order_detail::one),
    read("ShippingBasic.GetClaimInfo_V3", claims::search),
    change("ShippingBasic.SetSellerCheckYN_V2", confirm::one),
    change("ShippingBasic.SetSellerCheckYNBulk", confirm::bulk),
    change("ShippingBasic.SetSendingInfo", dispatch::one),
    change("ShippingBasic.SetSendingInfoBulk", dispatch::bulk),
    change("Claim.SetCancelProcess", claims::cancel),
    change("ItemsOrder.SetGoodsPriceQty", stock::price_and_quantity),
    Method {
        name: "ItemsOrder.SetGoodsPriceQtyBulk",
        versions: &["1.0", "1.1"],
        changes: true,
        run: Run::AsSeller(stock::price_and_quantity_bulk),
    },
    change("ItemsOptions.UpdateInventoryQtyUnit", stock::option_quantity),
    change("ItemsOptions.UpdateInventoryQtyPlusUnit", stock::option_quantity_plus),
    change("ItemsOptions.UpdateInventoryDataBulk", stock::option_bulk),
    read("ItemsLookup.GetAllGoodsInfo", listings::all),
    read("ItemsLookup.GetGoodsInventoryInfo", listings::options),
    Method {
        name: "ItemsLookup.GetItemDetailInfo",
        versions: &["1.2"],
        changes: false,
        run: Run::AsSeller(listings::detail),
    },
];

/// The face at work.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) face: Qoo10,
    pub(crate) context: FaceContext,
}

impl Desk {
    pub(crate) fn answer(&self, call: &Call) -> Response {
        let name = call.method.as_deref().unwrap_or_default();
        let version = call.version.as_deref().unwrap_or_default();
        let found = METHODS.iter().find(|method| method.name == name && method.versions.contains(&version));
        let Some(method) = found else { return framework_error(-90001, "The API does not exist") };
        let nth = self.face.0.answers.fetch_add(1, Ordering::Relaxed);
        respond(self.run(method, call), self.face.settings().wording, nth, call.wants_json())
    }

    fn run(&self, method: &Method, call: &Call) -> Outcome {
        let run = match method.run {
            Run::Unchecked(run) => return run(self, call),
            Run::AsSeller(run) => run,
        };
        let seller = lock(&self.face.0.keys).seller(call.key.as_deref(), method)?;
        run(&Visit { desk: self, call, seller, method: method.name })
    }
}

/// One call by one seller.
pub(crate) struct Visit<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) call: &'a Call,
    pub(crate) seller: String,
    method: &'static str,
}

/// Why an order number leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoLine {
    /// Not a number.
    Malformed,
    /// Nobody's.
    Unknown,
    /// Another seller's.
    Foreign,
}

impl Visit<'_> {
    pub(crate) fn market(&self) -> &crate::Market {
        &self.desk.context.market
    }

    /// Who is in the record for what this call does.
    pub(crate) fn acting(&self) -> Acting<'_> {
        self.market().by(Actor::Api { face: "qoo10".into(), operation: self.method.into() })
    }

    /// Looks at the line that an order number names.
    pub(crate) fn with_line<T>(
        &self,
        order_no: &str,
        look: impl FnOnce(&Order, &Line) -> T,
    ) -> Result<(LineNumber, T), NoLine> {
        let number: LineNumber = order_no.trim().parse().map_err(|_| NoLine::Malformed)?;
        self.market().read(|state| {
            let (order, line) = state.line(number).ok_or(NoLine::Unknown)?;
            if order.seller != self.seller {
                return Err(NoLine::Foreign);
            }
            Ok((number, look(order, line)))
        })
    }
}
