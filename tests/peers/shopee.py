"""Shopee's face, called with the client and the tools of an MCP server for sellers.

requires: mcp-shopee-seller==0.5.0
"""

import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request

start = json.loads(sys.argv[1])
key = start["faces"]["shopee"]["credentials"]
folder = tempfile.TemporaryDirectory()
# It is configured by its environment alone.
os.environ.update(
    SHOPEE_HOST=start["faces"]["shopee"]["base_url"],
    SHOPEE_PARTNER_ID=str(key["partner_id"]),
    SHOPEE_PARTNER_KEY=key["partner_key"],
    SHOPEE_TOKEN_FILE=f"{folder.name}/tokens.json",
    SHOPEE_ADS_TOKEN_FILE=f"{folder.name}/ads.json",
)

from shopee_mcp.client import ShopeeClient, ShopeeError  # noqa: E402
from shopee_mcp.config import load_settings  # noqa: E402
from shopee_mcp.tools import logistics, orders, products  # noqa: E402


class Tools:
    """Stands for the server that the tools are registered with."""

    def tool(self, **_):
        def keep(function):
            setattr(self, function.__name__, function)
            return function

        return keep


def check(found, wanted, what):
    assert found == wanted, f"{what}: {found!r} is not {wanted!r}"


def read(text, what):
    assert not text.startswith("Erro"), f"{what}: {text}"
    return json.loads(text)


def control(path):
    with urllib.request.urlopen(f"{start['control']}/{path}") as answer:
        return json.load(answer)


async def refused(code, call, *args, **named):
    try:
        await call(*args, **named)
    except ShopeeError as error:
        assert f"'{code}'" in str(error), f"{error} is not {code}"
    else:
        raise AssertionError(f"{code} was expected")


async def main():
    client = ShopeeClient(load_settings())
    tools = Tools()
    for module in (orders, logistics, products):
        module.register(tools, lambda: client)

    # Tokens: the code works once, and the refresh token is replaced.
    first = await client.fetch_token(key["code"], key["shop_id"])
    await refused("invalid_code", client.fetch_token, key["code"], key["shop_id"])
    renewed = await client._refresh(key["shop_id"])
    assert renewed.refresh_token != first.refresh_token
    client._store[key["shop_id"]] = first
    await refused("error_shop_refresh_token", client._refresh, key["shop_id"])
    client._store[key["shop_id"]] = renewed
    info = await client.call("/api/v2/shop/get_shop_info")
    assert info["expire_time"] > time.time() + 364 * 86_400

    # Orders, three at a time.
    now = int(time.time())
    listed, cursor = [], ""
    while True:
        page = read(
            await tools.list_orders(now - 86_400, now + 60, "READY_TO_SHIP", page_size=3, cursor=cursor), "list"
        )
        listed += [row["order_sn"] for row in page["order_list"]]
        cursor = page["next_cursor"]
        if not page["more"]:
            break
    check(len(set(listed)), 5, "orders")
    shown = read(await tools.get_order_details(listed), "details")["order_list"]
    check([order["order_sn"] for order in shown], listed, "orders of the details")
    for order in shown:
        assert order["total_amount"] > 0 and order["recipient_address"]["name"], order
        assert all(line["model_quantity_purchased"] > 0 for line in order["item_list"]), order
    text = await tools.list_orders(now - 16 * 86_400, now)
    assert "order.order_list_invalid_time" in text, text

    # Dispatch by pick-up; a repeat is refused.
    [sn, other] = listed[:2]
    address = read(await tools.get_shipping_parameter(sn), "parameter")["pickup"]["address_list"][0]
    slot = address["time_slot_list"][0]["pickup_time_id"]
    read(await tools.ship_order(sn, address["address_id"], slot), "ship_order")
    again = await tools.ship_order(sn, address["address_id"], slot)
    assert "package_already_shipped" in again, again
    # Its drop-off sends a number, which this order's does not take.
    text = await tools.ship_order(other, tracking_number="T1")
    assert "error_param" in text, text
    check(read(await tools.get_order_details([sn]), "details")["order_list"][0]["order_status"], "PROCESSED", "status")
    tracking = await client.call("/api/v2/logistics/get_tracking_number", params={"order_sn": sn})
    number = tracking["response"]["tracking_number"]
    assert number, tracking

    # Stock of an item and of a model.
    items = read(await tools.list_products(), "list_products")
    check(items["total_count"], 6, "items")
    rows = read(await tools.get_product_details([row["item_id"] for row in items["item"]]), "products")["item_list"]
    mug = next(row for row in rows if row["item_sku"] == "MUG-03")
    check(mug["stock_info_v2"]["summary_info"]["total_available_stock"], 25, "stock of the mug")
    read(await tools.update_stock(mug["item_id"], 7), "update_stock")
    shirt = next(row for row in rows if row["item_sku"] == "TEE-01")
    models = await client.call("/api/v2/product/get_model_list", params={"item_id": shirt["item_id"]})
    [model] = [row for row in models["response"]["model"] if row["model_sku"] == "TEE-01-RED-M"]
    read(await tools.update_stock(shirt["item_id"], 3, model["model_id"]), "update_stock")
    text = await tools.update_stock(shirt["item_id"], 3)
    assert "error_edit_item_stock_for_item_has_model" in text, text

    # What came of it in the market.
    record = [event for event in control("record") if event["by"] == "api"]
    shipped = [event for event in record if event["action"] == "shipped" and "refused" not in event]
    check({event["tracking"] for event in shipped}, {number}, "tracking numbers in the record")
    sets = [event["quantity"] for event in record if event["action"] == "quantity_set"]
    check(sets, [7, 3], "quantities in the record")

    os.environ["SHOPEE_PARTNER_KEY"] = "wrong"
    stranger = ShopeeClient(load_settings())
    await refused("error_sign", stranger.call, "/api/v2/shop/get_shop_info")
    for used in (client, stranger):
        await used.aclose()


asyncio.run(main())
