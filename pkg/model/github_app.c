/* github_app.c - the App: its signed tokens, installations, their tokens. */
#include "model/github_state.h"

#include <json-c/json.h>

enum { SKEW_MS = 60 * 1000, JWT_MAX_MS = 10 * 60 * 1000 };
#define INSTALLATION 5000	/* plus the organization's id */

static bool
is_ours(const struct hub *hub, struct json_object *payload)
{
	struct json_object *issuer = body_object(payload, "iss");
	struct str text = str_from(json_object_get_string(issuer));

	return str_is(text, hub->config.app_id) ||
	    str_is(text, hub->config.app_client_id);
}

/* NULL: the times will do. */
static const char *
times_wrong(const struct hub *hub, struct json_object *payload)
{
	int64_t issued = body_int(payload, "iat", 0) * 1000;
	int64_t expires = body_int(payload, "exp", 0) * 1000;

	if (expires <= hub->now_ms)
		return "'Expiration time' claim ('exp') must be a numeric "
		    "value representing the future time at which the "
		    "assertion expires";
	if (expires > hub->now_ms + JWT_MAX_MS + SKEW_MS ||
	    expires > issued + JWT_MAX_MS + SKEW_MS)
		return "'Expiration time' claim ('exp') is too far in the "
		    "future";
	if (issued > hub->now_ms + SKEW_MS)
		return "'Issued at' claim ('iat') must be an Integer "
		    "representing the time that the assertion was issued";
	return NULL;
}

static const char *
payload_wrong(const struct hub *hub, struct str header, struct str payload)
{
	struct json_object *head = hub_parse(header);
	struct json_object *body = hub_parse(payload);
	const char *why = "A JSON web token could not be decoded";

	if (json_object_is_type(head, json_type_object) &&
	    json_object_is_type(body, json_type_object) &&
	    str_is(body_str(head, "alg"), "RS256"))
		why = is_ours(hub, body) ? times_wrong(hub, body)
		    : "Integration not found";
	json_object_put(head);
	json_object_put(body);
	return why;
}

static const char *
jwt_wrong(struct hub_exchange *x)
{
	const char *undecoded = "A JSON web token could not be decoded", *why;
	struct hub *hub = x->hub;
	struct str token, scheme, parts[3], header, payload, signature;

	scheme = str_cut(x->request->authorization, ' ', &token);
	if (!str_eq_fold(scheme, STR("bearer")))
		return undecoded;
	token = str_trim(token);
	parts[0] = str_cut(token, '.', &parts[2]);
	parts[1] = str_cut(parts[2], '.', &parts[2]);
	if (parts[2].len == 0 ||
	    !hub_base64_read(x->arena, parts[0], &header) ||
	    !hub_base64_read(x->arena, parts[1], &payload) ||
	    !hub_base64_read(x->arena, parts[2], &signature))
		return undecoded;
	why = payload_wrong(hub, header, payload);
	if (why == NULL && hub->config.verify != NULL &&
	    !hub->config.verify(hub->config.verify_context,
	    str_sub(token, 0, parts[0].len + 1 + parts[1].len), signature))
		return undecoded;
	return why;
}

static bool
is_app(struct hub_exchange *x)
{
	const char *why = jwt_wrong(x);

	if (why != NULL)
		hub_error(x, 401, "%s", why);
	return why == NULL;
}

static void
put_installation(struct json_out *out, const struct hub *hub,
    const struct hub_scope *owner)
{
	json_out_open(out, '{');
	json_out_member_int(out, "id", INSTALLATION + owner->id);
	json_out_key(out, "account");
	json_out_open(out, '{');
	json_out_member(out, "login", owner->name);
	json_out_member_c(out, "type", "Organization");
	json_out_close(out, '}');
	json_out_member_c(out, "repository_selection", "all");
	json_out_member_c(out, "app_id", hub->config.app_id);
	json_out_key(out, "permissions");
	json_out_open(out, '{');
	json_out_member_c(out, "actions", "read");
	json_out_member_c(out, "administration", "write");
	json_out_member_c(out, "metadata", "read");
	json_out_member_c(out, "organization_self_hosted_runners", "write");
	json_out_close(out, '}');
	json_out_member_or_null(out, "suspended_at", (struct str){0});
	json_out_close(out, '}');
}

void
hub_get_app(struct hub_exchange *x)
{
	struct json_out out = {0};

	if (!is_app(x))
		return;
	json_out_open(&out, '{');
	json_out_member_c(&out, "client_id", x->hub->config.app_client_id);
	json_out_member_c(&out, "slug", "podform");
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_list_installations(struct hub_exchange *x)
{
	VEC_OF(struct hub_scope *) found = {0};
	struct json_out out = {0};
	size_t from, to;

	if (!is_app(x))
		return;
	for (size_t i = 0; i < x->hub->scopes.n; i++)
		if (x->hub->scopes.items[i]->kind == HUB_ORGANIZATION)
			*ARENA_PUSH(x->arena, &found) =
			    x->hub->scopes.items[i];
	hub_page(x, found.n, &from, &to);
	json_out_open(&out, '[');
	for (size_t i = from; i < to; i++)
		put_installation(&out, x->hub, found.items[i]);
	json_out_close(&out, ']');
	hub_json(x, 200, &out);
}

void
hub_find_installation(struct hub_exchange *x)
{
	struct str rest, owner = str_cut(x->scope->name, '/', &rest);
	struct json_out out = {0};

	if (!is_app(x))
		return;
	put_installation(&out, x->hub, hub_find_scope(x->hub, owner));
	hub_json(x, 200, &out);
}

/* 40 letters of old, or the long form: App, then a JWT. */
static struct str
token_text(struct hub *hub)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = hub->config.app_token_length;
	struct str text;

	text = hub_random_text(hub, n <= 44 ? 36 : n, letters);
	if (n <= 44)
		return arena_printf(&hub->arena, "ghs_" STR_FMT,
		    STR_ARG(text));
	return arena_printf(&hub->arena, "ghs_%s_eyJ" STR_FMT ".eyJ" STR_FMT
	    "." STR_FMT, hub->config.app_id, STR_ARG(str_sub(text, 0, 33)),
	    STR_ARG(str_sub(text, 33, n / 3)),
	    STR_ARG(str_sub(text, 33 + n / 3, n - 33 - n / 3 - 20)));
}

void
hub_access_token(struct hub_exchange *x)
{
	struct hub *hub = x->hub;
	struct hub_token *token;
	struct json_out out = {0};
	int64_t id;
	bool known = false;

	if (!is_app(x))
		return;
	for (size_t i = 0; hub_number(x->id, &id) && i < hub->scopes.n; i++)
		known |= hub->scopes.items[i]->kind == HUB_ORGANIZATION &&
		    INSTALLATION + hub->scopes.items[i]->id == id;
	if (!known) {
		hub_error(x, 404, "Not Found");
		return;
	}
	token = ARENA_NEW(&hub->arena, struct hub_token);
	*token = (struct hub_token){
		.text = token_text(hub), .role = ROLE_ADMIN, .app = true,
		.expires_ms = hub->now_ms + HUB_HOUR_MS,
	};
	*ARENA_PUSH(&hub->arena, &hub->tokens) = token;
	json_out_open(&out, '{');
	json_out_member(&out, "token", token->text);
	json_out_member(&out, "expires_at", model_rfc3339(x->arena,
	    token->expires_ms / 1000 * 1000));
	json_out_key(&out, "permissions");
	json_out_open(&out, '{');
	json_out_member_c(&out, "administration", "write");
	json_out_member_c(&out, "organization_self_hosted_runners", "write");
	json_out_close(&out, '}');
	json_out_member_c(&out, "repository_selection", "all");
	json_out_close(&out, '}');
	hub_json(x, 201, &out);
}
