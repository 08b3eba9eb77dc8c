/* tunnel_show.c - see tunnel_show.h */
#include "tunnel_show.h"

#include "base/units.h"
#include "holder_client.h"
#include "ui/cells.h"
#include "ui/table.h"

static struct str
local_of(struct app *app, const struct tunnel_status *tunnel)
{
	const struct tunnel_config *config = &tunnel->config;
	unsigned port = tunnel->port != 0 &&
	    config->direction != TUNNEL_REMOTE ? tunnel->port :
	    config->local_port;

	if (str_starts(config->local_address, STR("/")))
		return config->local_address;
	if (str_find(config->local_address, ':') >= 0)
		return arena_printf(&app->arena, "[" STR_FMT "]:%u",
		    STR_ARG(config->local_address), port);
	return arena_printf(&app->arena, STR_FMT ":%u",
	    STR_ARG(config->local_address), port);
}

static struct str
remote_of(struct app *app, const struct tunnel_status *tunnel)
{
	const struct tunnel_config *config = &tunnel->config;

	if (config->direction == TUNNEL_DYNAMIC)
		return STR("SOCKS");
	return arena_printf(&app->arena, STR_FMT ":%u",
	    STR_ARG(config->remote_host), config->remote_port);
}

static struct str
bytes_of(struct app *app, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	uint64_t whole = bytes;
	size_t unit = 0;

	while (whole >= 10000 && unit + 1 < COUNTOF(units)) {
		whole /= 1000;
		unit++;
	}
	return arena_printf(&app->arena, "%llu %s",
	    (unsigned long long)whole, units[unit]);
}

static struct str
since_of(struct app *app, const struct tunnel_status *tunnel)
{
	int64_t ms = app_wall_ms(app) - tunnel->since_ms;
	int64_t step = ms < HOUR_MS ? SECOND_MS : MINUTE_MS;

	return format_duration(&app->arena, ms < 0 ? 0 : ms - ms % step);
}

static enum paint
paint_of(enum tunnel_state state)
{
	switch (state) {
	case TUNNEL_UP:
		return PAINT_GREEN;
	case TUNNEL_CONFLICT:
	case TUNNEL_CLOSED:
		return PAINT_RED;
	case TUNNEL_WAITING:
	case TUNNEL_RESOLVING:
	case TUNNEL_CONNECTING:
	case TUNNEL_AUTHENTICATING:
	case TUNNEL_PROBING:
	case TUNNEL_BACKOFF:
	case TUNNEL_STATE_COUNT:
		break;
	}
	return PAINT_YELLOW;
}

/* As a spec has it: the port alone is one of this machine, or of the pod. */
static struct str
brief(struct str place)
{
	struct str own = STR("127.0.0.1:");

	return str_starts(place, own) ? str_sub(place, own.len, place.len) :
	    place;
}

/* Troubles need room: a line each, below the table. */
static void
add_errors(struct app *app, struct strbuf *out,
    const struct tunnel_status *tunnels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct tunnel_status *tunnel = &tunnels[i];
		if (tunnel->error.len == 0)
			continue;
		struct str text = arena_printf(&app->arena, STR_FMT
		    "%s: " STR_FMT, STR_ARG(tunnel->config.address),
		    tunnel->state == TUNNEL_UP ? ", last" : "",
		    STR_ARG(tunnel->error));
		strbuf_adds(out, "  ");
		style_add(out, app->out_style, tunnel->state == TUNNEL_UP ?
		    PAINT_NONE : PAINT_RED, STR("!"));
		strbuf_addc(out, ' ');
		cells_wrap(out, cells_escape(&app->arena, text), 4, 4,
		    (size_t)app->out_style.width);
		strbuf_addc(out, '\n');
	}
}

void
tunnel_show_text(struct app *app, struct strbuf *out,
    const struct tunnel_status *tunnels, size_t n)
{
	static const struct table_column columns[] = {
		{ .title = "TUNNEL", .shrink = true }, { .title = "STATE" },
		{ .title = "LOCAL", .shrink = true },
		{ .title = "REMOTE", .shrink = true },
		{ .title = "POD", .shrink = true },
		{ .title = "FOR", .right = true },
		{ .title = "IN", .right = true },
		{ .title = "OUT", .right = true },
		{ .title = "RTT", .right = true },
	};
	struct table table;

	table_init(&table, &app->arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < n; i++) {
		const struct tunnel_status *tunnel = &tunnels[i];
		table_add(&table, tunnel->config.address);
		table_add_paint(&table, str_from(tunnel_state_name(
		    tunnel->state)), paint_of(tunnel->state));
		table_add(&table, brief(local_of(app, tunnel)));
		table_add(&table, brief(remote_of(app, tunnel)));
		table_add(&table, tunnel->config.pod);
		table_add(&table, since_of(app, tunnel));
		table_add(&table, bytes_of(app, tunnel->bytes_in));
		table_add(&table, bytes_of(app, tunnel->bytes_out));
		table_add(&table, tunnel->rtt_us < 0 ? STR("") :
		    arena_printf(&app->arena, "%lld.%lld ms",
		    (long long)(tunnel->rtt_us / 1000),
		    (long long)(tunnel->rtt_us / 100 % 10)));
	}
	table_print(out, &table, app->out_style);
	add_errors(app, out, tunnels, n);
}

void
tunnel_show_json(struct app *app, struct json_writer *w,
    const struct tunnel_status *tunnels, size_t n)
{
	json_begin(w, '[');
	for (size_t i = 0; i < n; i++) {
		const struct tunnel_status *tunnel = &tunnels[i];
		json_begin(w, '{');
		json_member_str(w, "address", tunnel->config.address);
		json_member_str(w, "state", str_from(tunnel_state_name(
		    tunnel->state)));
		json_member_str(w, "direction", str_from(
		    tunnel_direction_name(tunnel->config.direction)));
		json_member_str(w, "local", local_of(app, tunnel));
		json_member_str(w, "remote", remote_of(app, tunnel));
		json_member_str(w, "url", tunnel_url(&app->arena, tunnel));
		json_member_int(w, "port", tunnel->port);
		json_member_str(w, "pod", tunnel->config.pod);
		json_member_str(w, "pod_id", tunnel->config.pod_id);
		json_member_str(w, "since", format_time(&app->arena,
		    tunnel->since_ms));
		if (tunnel->retry_at_ms > 0)
			json_member_str(w, "retry_at", format_time(
			    &app->arena, tunnel->retry_at_ms));
		json_member_int(w, "bytes_in", (int64_t)tunnel->bytes_in);
		json_member_int(w, "bytes_out", (int64_t)tunnel->bytes_out);
		json_member_int(w, "connections",
		    (int64_t)tunnel->connections);
		if (tunnel->rtt_us >= 0)
			json_member_int(w, "rtt_us", tunnel->rtt_us);
		json_member_int(w, "reconnects", tunnel->reconnects);
		json_member_str(w, "host_key", tunnel->fingerprint);
		json_member_bool(w, "host_key_first_use", tunnel->first_use);
		json_member_str(w, "error", tunnel->error);
		json_end(w, '}');
	}
	json_end(w, ']');
}

void
tunnel_show_places(struct app *app, struct strbuf *out,
    const struct tunnel_status *tunnels, size_t n)
{
	static const struct table_column columns[] = {
		{ .title = "  TUNNEL" }, { .title = "STATE" },
		{ .title = "WHERE" }, { .title = "WHY", .shrink = true },
	};
	struct table table;

	if (n == 0)
		return;
	table_init(&table, &app->arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < n; i++) {
		const struct tunnel_status *tunnel = &tunnels[i];
		table_addf(&table, "  " STR_FMT,
		    STR_ARG(tunnel->config.address));
		table_add_paint(&table, str_from(tunnel_state_name(
		    tunnel->state)), paint_of(tunnel->state));
		table_add(&table, tunnel_url(&app->arena, tunnel));
		table_add(&table, tunnel->state == TUNNEL_UP ? STR("") :
		    tunnel->error);
	}
	strbuf_addc(out, '\n');
	table_print(out, &table, app->out_style);
}

size_t
tunnel_show_find(struct app *app, const struct spec *spec,
    struct tunnel_status **tunnels)
{
	size_t n = 0, all;
	struct str why;
	bool any = false;

	*tunnels = NULL;
	for (size_t i = 0; spec != NULL && i < spec->nresources; i++)
		any |= spec->resources[i].kind == KIND_TUNNEL;
	if (!any || app->holder == NULL ||
	    !holder_list(app, tunnels, &all, &why))
		return 0;
	for (size_t i = 0; i < all; i++)
		if (spec_find(spec, (*tunnels)[i].config.address) != NULL)
			(*tunnels)[n++] = (*tunnels)[i];
	return n;
}
