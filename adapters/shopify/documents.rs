//! The GraphQL documents, one per operation. A test checks each of them against the official schema.

/// A document and the one field at its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document {
    /// `operationName`.
    pub(super) name: &'static str,
    /// The field of `data` that answers it; for several, the one without which the answer says nothing.
    pub(super) root: &'static str,
    /// Whether it changes anything.
    pub(super) writes: bool,
    /// Query text with its fragments.
    pub(super) text: &'static str,
}

/// The text of the files, one after the other.
macro_rules! text {
    ($($file:literal),+) => { concat!($(include_str!(concat!("graphql/", $file, ".graphql"))),+) };
}

/// Declares the documents and lists them.
macro_rules! documents {
    ($($(#[$doc:meta])* $id:ident = $kind:ident $name:literal $root:literal [$($file:literal),+];)+) => {
        $($(#[$doc])* pub(super) const $id: Document = Document {
            name: $name,
            root: $root,
            writes: documents!(@ $kind),
            text: text!($($file),+),
        };)+

        /// All of them, for the test against the schema.
        #[cfg(test)]
        pub(super) const ALL: &[Document] = &[$($id),+];
    };
    (@ query) => { false };
    (@ mutation) => { true };
}

documents! {
    /// A page of orders.
    ORDERS = query "Orders" "orders"
        ["orders", "order_fields", "line_fields", "part_fields", "part_line_fields", "parcel_fields"];
    /// One order.
    ORDER_BY_ID = query "OrderById" "order"
        ["order_by_id", "order_fields", "line_fields", "part_fields", "part_line_fields", "parcel_fields"];
    /// Lines beyond an order's first page.
    LINES_OF_ORDER = query "LinesOfOrder" "order" ["lines_of_order", "line_fields"];
    /// Fulfilment orders, where the first answer may have cut them off.
    PARTS_OF_ORDER = query "PartsOfOrder" "order" ["parts_of_order", "part_fields", "part_line_fields"];
    /// Lines beyond a fulfilment order's first page.
    LINES_OF_PART = query "LinesOfPart" "order" ["lines_of_part", "part_line_fields"];
    /// Parcels, where the first answer may have cut them off.
    PARCELS_OF_ORDER = query "ParcelsOfOrder" "order" ["parcels_of_order", "parcel_fields"];
    /// Cancelled orders.
    CANCELLED = query "Cancelled" "orders" ["cancelled"];
    /// Listings with their stock.
    VARIANTS = query "Variants" "productVariants" ["variants"];
    /// Where stock is kept.
    LOCATIONS = query "Locations" "locations" ["locations"];
    /// The shop and what the token may do.
    WHOAMI = query "Whoami" "shop" ["whoami"];
    /// Reports a parcel.
    FULFILL = mutation "Fulfill" "fulfillmentCreate" ["fulfill"];
    /// Changes a parcel's tracking.
    UPDATE_TRACKING = mutation "UpdateTracking" "fulfillmentTrackingInfoUpdate" ["tracking"];
    /// Sets the latest ship time.
    SET_DEADLINE = mutation "SetDeadline" "fulfillmentOrdersSetFulfillmentDeadline" ["deadline"];
    /// Sets quantities.
    SET_STOCK = mutation "SetStock" "inventorySetQuantities" ["stock"];
    /// Cancels an order.
    CANCEL = mutation "Cancel" "orderCancel" ["cancel"];
    /// Asks for webhooks.
    SUBSCRIBE = mutation "Subscribe" "webhookSubscriptionCreate" ["subscribe"];
}
