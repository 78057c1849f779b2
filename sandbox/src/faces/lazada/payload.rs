//! The `payload` of product calls (sheet section 4): XML, or JSON of the same form. Pure.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// One `Sku` element. What was not sent is none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct SkuRow {
    pub(super) item_id: Option<String>,
    pub(super) sku_id: Option<String>,
    pub(super) seller_sku: Option<String>,
    pub(super) sellable: Option<String>,
    pub(super) quantity: Option<String>,
    pub(super) price: Option<String>,
    /// Codes of warehouses with their `SellableQuantity` or `Quantity`.
    pub(super) warehouses: Vec<(String, String)>,
}

/// The rows below `Request`, `Product`, `Skus`. None when it has another form.
pub(super) fn sku_rows(payload: &str) -> Option<Vec<SkuRow>> {
    let tree = if payload.trim_start().starts_with('<') {
        xml(payload)?
    } else {
        serde_json::from_str(payload).ok()?
    };
    let skus = tree.get("Request")?.get("Product")?.get("Skus")?;
    let rows = if skus.is_array() { skus } else { skus.get("Sku")? };
    Some(each(rows).map(row).collect())
}

/// Elements as objects, repeated ones as lists, all else as texts.
fn xml(text: &str) -> Option<Value> {
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    let mut tree = Map::new();
    tree.insert(root.tag_name().name().to_owned(), value(root));
    Some(Value::Object(tree))
}

fn value(node: Node<'_, '_>) -> Value {
    let mut fields = Map::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name().to_owned();
        match fields.get_mut(&name) {
            Some(Value::Array(list)) => list.push(value(child)),
            Some(one) => *one = Value::Array(vec![one.take(), value(child)]),
            None => {
                fields.insert(name, value(child));
            }
        }
    }
    if fields.is_empty() {
        let text: String = node.children().filter_map(|child| child.text()).collect();
        return Value::String(text.trim().to_owned());
    }
    Value::Object(fields)
}

/// The members of a list, or the one thing.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(list) => (list.as_slice(), None),
        one => (&[][..], Some(one)),
    };
    list.iter().chain(one)
}

fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn row(sku: &Value) -> SkuRow {
    let inventories = sku.get("MultiWarehouseInventories");
    let inventories = inventories.map(|all| all.get("MultiWarehouseInventory").unwrap_or(all));
    let warehouse = |one: &Value| {
        let quantity = text(one, "SellableQuantity").or_else(|| text(one, "Quantity"));
        (text(one, "WarehouseCode").unwrap_or_default(), quantity.unwrap_or_default())
    };
    SkuRow {
        item_id: text(sku, "ItemId"),
        sku_id: text(sku, "SkuId"),
        seller_sku: text(sku, "SellerSku"),
        sellable: text(sku, "SellableQuantity"),
        quantity: text(sku, "Quantity"),
        price: text(sku, "Price"),
        warehouses: inventories.into_iter().flat_map(each).map(warehouse).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_and_json_say_the_same() {
        let xml = "<?xml version=\"1.0\"?><Request><Product><Skus><!-- one --><Sku><ItemId>1</ItemId><SkuId>2</SkuId>\
                   <SellerSku>a &amp; b</SellerSku><SellableQuantity> 20 </SellableQuantity></Sku></Skus></Product></Request>";
        let json = r#"{"Request":{"Product":{"Skus":{"Sku":[{"ItemId":1,"SkuId":"2","SellerSku":"a & b","SellableQuantity":20}]}}}}"#;
        let rows = sku_rows(xml).unwrap();
        assert_eq!(rows, sku_rows(json).unwrap());
        assert_eq!(rows[0].seller_sku.as_deref(), Some("a & b"));
        assert_eq!(rows[0].sellable.as_deref(), Some("20"));
    }

    #[test]
    fn the_official_example_is_read() {
        let payload = "<Request><Product><Skus><Sku><ItemId>1</ItemId></Sku><Sku><ItemId>2</ItemId>\
                       <MultiWarehouseInventories><MultiWarehouseInventory><WarehouseCode>w1</WarehouseCode>\
                       <SellableQuantity>20</SellableQuantity></MultiWarehouseInventory><MultiWarehouseInventory>\
                       <WarehouseCode>w2</WarehouseCode><SellableQuantity>30</SellableQuantity></MultiWarehouseInventory>\
                       </MultiWarehouseInventories></Sku></Skus></Product></Request>";
        let rows = sku_rows(payload).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].warehouses, [("w1".into(), "20".into()), ("w2".into(), "30".into())]);
    }

    #[test]
    fn other_forms_are_refused() {
        for payload in ["", "{}", "<Request>", "<Request><Product/></Request>", "[1]"] {
            assert_eq!(sku_rows(payload), None, "{payload}");
        }
    }
}
