/*
 * github_packages.c - the runner packages that a scope may use.
 *
 * What is read here becomes the name of a file, an address that is fetched
 * and a program that is run: shapes are checked to the letter.
 */
#include "github/github_decode.h"

#include "base/strbuf.h"

static const struct str prefix = STR_INIT("actions-runner-linux-x64-");
static const struct str suffix = STR_INIT(".tar.gz");

enum { VERSION_MAX = 32, URL_MAX = 2048, TOKEN_MAX = 4096, DIGEST_LEN = 64 };

/* "2.336.0": numbers with dots between. */
static bool
is_version(struct str text)
{
	bool digit = false;

	if (text.len == 0 || text.len > VERSION_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '.' && !digit)
			return false;
		if (c != '.' && (c < '0' || c > '9'))
			return false;
		digit = c != '.';
	}
	return digit;
}

static bool
is_visible(struct str text, size_t most)
{
	if (text.len == 0 || text.len > most)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' ||
		    text.data[i] == '"' || text.data[i] == '\\')
			return false;
	return true;
}

/* 64 hex digits, in the arena and in lower case. */
static bool
take_digest(struct json_reader *reader, struct str *digest)
{
	struct strbuf out = {0};

	if (digest->len != DIGEST_LEN)
		return false;
	for (size_t i = 0; i < digest->len; i++) {
		int value = hex_digit(digest->data[i]);
		if (value < 0) {
			strbuf_release(&out);
			return false;
		}
		strbuf_addc(&out, "0123456789abcdef"[value]);
	}
	*digest = arena_str(reader->arena, strbuf_str(&out));
	strbuf_release(&out);
	return true;
}

static void
decode_package(struct json_reader *reader, struct json_value value,
    struct runner_package *package)
{
	json_read_str(reader, value, "filename", REQUIRED,
	    &package->filename);
	json_read_str(reader, value, "download_url", REQUIRED, &package->url);
	json_read_str(reader, value, "sha256_checksum", NULLABLE,
	    &package->sha256);
	json_read_str(reader, value, "temp_download_token", NULLABLE,
	    &package->token);
	if (reader->failed)
		return;
	struct str name = package->filename;
	if (name.len > prefix.len + suffix.len && str_starts(name, prefix) &&
	    str_ends(name, suffix))
		package->version = str_sub(name, prefix.len,
		    name.len - prefix.len - suffix.len);
	if (!is_version(package->version))
		json_fail(reader, "filename", "actions-runner-linux-x64-"
		    "VERSION.tar.gz");
	if (!is_visible(package->url, URL_MAX) ||
	    (!str_starts(package->url, STR("https://")) &&
		!str_starts(package->url, STR("http://"))))
		json_fail(reader, "download_url", "URL");
	/* Empty is how some servers say that there is none. */
	if (package->sha256.len == 0)
		package->sha256 = (struct str){0};
	else if (!take_digest(reader, &package->sha256))
		json_fail(reader, "sha256_checksum", "64 hex digits");
	if (package->token.len == 0)
		package->token = (struct str){0};
	else if (!is_visible(package->token, TOKEN_MAX))
		json_fail(reader, "temp_download_token", "token");
}

void
github_decode_packages(struct json_reader *reader, struct json_value root,
    struct github_answer *out)
{
	if (!json_is(root, JSON_ARRAY)) {
		json_fail(reader, NULL, "array");
		return;
	}
	struct json_iter it = json_iter(root);
	out->packages = ARENA_ARRAY(reader->arena, struct runner_package,
	    json_count(root));
	while (!reader->failed && json_next(&it)) {
		struct str os, architecture;
		if (json_read_str(reader, it.value, "os", REQUIRED, &os) &&
		    json_read_str(reader, it.value, "architecture", REQUIRED,
			&architecture) &&
		    str_eq_fold(os, STR("linux")) &&
		    str_eq_fold(architecture, STR("x64")))
			decode_package(reader, it.value,
			    &out->packages[out->npackages++]);
	}
}
