/* gpus.c - podform gpus, datacenters: the catalog now. */
#include "app.h"
#include "base/json.h"
#include "base/units.h"
#include "commands.h"
#include "ui/table.h"
#include "ui/words.h"

static int
fetch(struct app *app, enum cloud_op op, struct cloud_answer *answer)
{
	struct cloud_request request = { .op = op, .gpu_count = 1 };
	struct session session;
	int code = app_connect(app, true);

	if (code == EXIT_OK)
		code = app_new_session(app, &session, NULL, "gpus");
	if (code == EXIT_OK)
		code = session_ask(&session, &request, answer);
	return code;
}

static bool
matches(struct str filter, struct str id, struct str name)
{
	return filter.data == NULL || str_search_fold(id, filter) >= 0 ||
	    str_search_fold(name, filter) >= 0;
}

static struct str
price(struct app *app, bool offered, int64_t microusd)
{
	if (!offered || microusd < 0)
		return STR("-");
	return format_rate(&app->arena, microusd);
}

/* Where it is in stock, the best stocked first. */
static struct str
places(struct app *app, const struct gpu_type *gpu)
{
	struct strbuf out = {0};
	struct str text;

	for (int stock = STOCK_HIGH; stock >= STOCK_LOW; stock--)
		for (size_t i = 0; i < gpu->nplaces; i++)
			if ((int)gpu->places[i].stock == stock)
				strbuf_addf(&out, "%s" STR_FMT,
				    out.len > 0 ? " " : "",
				    STR_ARG(gpu->places[i].data_center));
	text = arena_str(&app->arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static void
gpu_json(struct json_writer *w, const struct gpu_type *gpu)
{
	json_begin(w, '{');
	json_member_str(w, "id", gpu->id);
	json_member_str(w, "name", gpu->name);
	json_member_int(w, "memory_gb", gpu->memory_gb);
	if (gpu->secure && gpu->secure_price >= 0)
		json_member_usd(w, "secure_per_hour", gpu->secure_price);
	if (gpu->community && gpu->community_price >= 0)
		json_member_usd(w, "community_per_hour",
		    gpu->community_price);
	json_member_str(w, "stock", str_from(words_stock(gpu->stock)));
	json_key(w, "data_centers");
	json_begin(w, '[');
	for (size_t i = 0; i < gpu->nplaces; i++) {
		json_begin_inline(w, '{');
		json_member_str(w, "id", gpu->places[i].data_center);
		json_member_str(w, "stock",
		    str_from(words_stock(gpu->places[i].stock)));
		json_end(w, '}');
	}
	json_end(w, ']');
	json_end(w, '}');
}

static enum paint
stock_paint(enum stock stock)
{
	if (stock == STOCK_HIGH || stock == STOCK_MEDIUM)
		return PAINT_GREEN;
	return stock == STOCK_LOW ? PAINT_YELLOW : PAINT_DIM;
}

static void
gpu_row(struct app *app, struct table *table, const struct gpu_type *gpu)
{
	table_add(table, gpu->name);
	table_add(table, gpu->id);
	table_addf(table, "%lldGB", (long long)gpu->memory_gb);
	table_add(table, price(app, gpu->secure, gpu->secure_price));
	table_add(table, price(app, gpu->community, gpu->community_price));
	table_add_paint(table, gpu->stock == STOCK_UNKNOWN ? STR("-") :
	    str_from(words_stock(gpu->stock)), stock_paint(gpu->stock));
	table_add(table, places(app, gpu));
}

int
cmd_gpus(struct app *app)
{
	static const struct table_column columns[] = {
		{ .title = "GPU" },
		{ .title = "ID", .shrink = true, .wrap = true },
		{ .title = "MEMORY", .right = true },
		{ .title = "SECURE", .right = true },
		{ .title = "COMMUNITY", .right = true }, { .title = "STOCK" },
		{ .title = "DATA CENTERS", .shrink = true },
	};
	struct str filter = app_operand(app, 0);
	struct cloud_answer answer = {0};
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };
	struct table table;
	int code = fetch(app, CLOUD_LIST_GPUS, &answer);

	if (code != EXIT_OK)
		return code;
	table_init(&table, &app->arena, columns, COUNTOF(columns));
	if (app_json(app))
		json_begin(&w, '[');
	for (size_t i = 0; i < answer.ngpus; i++) {
		const struct gpu_type *gpu = &answer.gpus[i];
		if (!matches(filter, gpu->id, gpu->name))
			continue;
		if (app_json(app))
			gpu_json(&w, gpu);
		else
			gpu_row(app, &table, gpu);
	}
	if (app_json(app)) {
		json_end(&w, ']');
		strbuf_addc(&out, '\n');
	} else if (table_rows(&table) == 0) {
		strbuf_adds(&out, "no GPU matches\n");
	}
	table_print(&out, &table, app->out_style);
	app_print(app, &out);
	return EXIT_OK;
}

int
cmd_datacenters(struct app *app)
{
	static const struct table_column columns[] = {
		{ .title = "ID" }, { .title = "NAME", .shrink = true },
		{ .title = "REGION" }, { .title = "VOLUMES" },
	};
	struct str filter = app_operand(app, 0);
	struct cloud_answer answer = {0};
	struct strbuf out = {0};
	struct json_writer w = { .out = &out, .indent = 2 };
	struct table table;
	int code = fetch(app, CLOUD_LIST_DATA_CENTERS, &answer);

	if (code != EXIT_OK)
		return code;
	table_init(&table, &app->arena, columns, COUNTOF(columns));
	if (app_json(app))
		json_begin(&w, '[');
	for (size_t i = 0; i < answer.ndata_centers; i++) {
		const struct data_center *dc = &answer.data_centers[i];
		if (!matches(filter, dc->id, dc->region))
			continue;
		if (app_json(app)) {
			json_begin_inline(&w, '{');
			json_member_str(&w, "id", dc->id);
			json_member_str(&w, "name", dc->name);
			json_member_str(&w, "region", dc->region);
			json_member_bool(&w, "volumes", dc->volumes);
			json_end(&w, '}');
			continue;
		}
		table_add(&table, dc->id);
		table_add(&table, dc->name);
		table_add(&table, dc->region);
		table_add(&table, dc->volumes ? STR("yes") : STR("no"));
	}
	if (app_json(app)) {
		json_end(&w, ']');
		strbuf_addc(&out, '\n');
	} else if (table_rows(&table) == 0) {
		strbuf_adds(&out, "no data center matches\n");
	}
	table_print(&out, &table, app->out_style);
	app_print(app, &out);
	return EXIT_OK;
}
