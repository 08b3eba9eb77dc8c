/* github_encode.c - see github_encode.h */
#include "github/github_encode.h"

#include <assert.h>

#include "base/json.h"
#include "github/github_ops.h"

/* The group of a repository, and an organization's default. */
enum { DEFAULT_GROUP = 1 };

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
	    c == '~';
}

static void
add_percent(struct strbuf *out, struct str text)
{
	/* A segment of dots would walk up the path. */
	bool dots = str_is(text, ".") || str_is(text, "..");
	for (size_t i = 0; i < text.len; i++)
		if (is_plain(text.data[i]) && !dots)
			strbuf_addc(out, text.data[i]);
		else
			strbuf_addf(out, "%%%02X",
			    (unsigned)(unsigned char)text.data[i]);
}

void
github_encode_scope(struct strbuf *out, const struct github_scope *scope)
{
	assert((scope->repository.len > 0) != (scope->organization.len > 0));
	if (scope->organization.len > 0) {
		strbuf_adds(out, "/orgs/");
		add_percent(out, scope->organization);
		return;
	}
	struct str name;
	struct str owner = str_cut(scope->repository, '/', &name);
	strbuf_adds(out, "/repos/");
	add_percent(out, owner);
	strbuf_addc(out, '/');
	add_percent(out, name);
}

static struct str
make_path(struct arena *arena, const struct github_request *request)
{
	struct strbuf out = {0};

	if (request->cursor.data != NULL)
		return arena_str(arena, request->cursor);
	github_encode_scope(&out, &request->scope);
	for (const char *c = github_ops_rows[request->op].path; *c != '\0';
	     c++) {
		if (*c == '#')
			strbuf_addf(&out, "%lld", (long long)request->id);
		else if (*c == '@')
			add_percent(&out, request->name);
		else if (*c == '%')
			add_percent(&out, request->version);
		else
			strbuf_addc(&out, *c);
	}
	struct str path = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return path;
}

static void
put_labels(struct json_writer *w, const struct github_request *request)
{
	json_key(w, "labels");
	json_begin(w, '[');
	for (size_t i = 0; i < request->nlabels; i++)
		json_put_str(w, request->labels[i]);
	json_end(w, ']');
}

static struct str
make_body(struct arena *arena, const struct github_request *request)
{
	struct strbuf text = {0};
	struct json_writer w = { .out = &text };

	if (request->op != GITHUB_JIT && request->op != GITHUB_SET_LABELS)
		return (struct str){0};
	json_begin(&w, '{');
	if (request->op == GITHUB_JIT) {
		json_member_str(&w, "name", request->name);
		json_member_int(&w, "runner_group_id", request->group_id > 0 ?
		    request->group_id : DEFAULT_GROUP);
	}
	put_labels(&w, request);
	json_end(&w, '}');
	struct str body = arena_str(arena, strbuf_str(&text));
	strbuf_release(&text);
	return body;
}

void
github_encode(struct arena *arena, const struct github_request *request,
    struct http_request *out)
{
	assert((size_t)request->op < GITHUB_OP_COUNT);
	const struct github_ops_row *row = &github_ops_rows[request->op];

	*out = (struct http_request){
		.method = row->method,
		.host = HOST_GITHUB,
		.path = make_path(arena, request),
		.body = make_body(arena, request),
		.timeout_ms = row->timeout_ms,
		.max_body = row->max_body,
		.effect = github_op_changes(request->op),
	};
}
