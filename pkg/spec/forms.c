/* forms.c - what texts must look like; see struct form in fields.h */
#include "base/units.h"
#include "spec/tables.h"

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Only letters, digits and the bytes of `more`. */
static bool
only(struct str text, const char *more)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!is_letter(c) && !is_digit(c) &&
		    str_find(str_from(more), c) < 0)
			return false;
	}
	return text.len > 0;
}

static bool
fits_name(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		if (!is_lower(c) && !is_digit(c) && (c != '-' || i == 0))
			return false;
	}
	return value.len > 0;
}
const struct form form_name = { fits_name,
	"must be lower-case letters, digits and '-', and not begin with '-'",
	"^[a-z0-9][a-z0-9-]*$" };

static bool
fits_env_name(struct str value)
{
	return only(value, "_") && !is_digit(value.data[0]);
}
const struct form form_env_name = { fits_env_name,
	"must be letters, digits and '_', and not begin with a digit",
	"^[A-Za-z_][A-Za-z0-9_]*$" };

bool
parse_port(struct str text, int64_t *number, bool *http)
{
	struct str protocol;
	struct str digits = str_cut(text, '/', &protocol);

	*http = str_is(protocol, "http");
	return parse_int(digits, 1, 65535, number) &&
	    (*http || str_is(protocol, "tcp"));
}

static bool
fits_port(struct str value)
{
	int64_t number;
	bool http;
	return parse_port(value, &number, &http);
}
const struct form form_port = { fits_port,
	"must be a number from 1 to 65535 and /tcp or /http",
	"^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|"
	"655[0-2][0-9]|6553[0-5])/(tcp|http)$" };

static bool
fits_image(struct str value)
{
	return only(value, "._-/:@+") && value.data[0] != '-' &&
	    value.data[0] != '/';
}
const struct form form_image = { fits_image,
	"must be an image reference such as owner/name:tag",
	"^[A-Za-z0-9._:@+][A-Za-z0-9._/:@+-]*$" };

/* `comfy-{date}-{n}`: letters, digits, . _ - and the two tokens. */
static bool
fits_pattern(struct str value)
{
	while (value.len > 0) {
		if (str_starts(value, STR("{date}")))
			value = str_sub(value, 6, value.len);
		else if (str_starts(value, STR("{n}")))
			value = str_sub(value, 3, value.len);
		else if (only(str_sub(value, 0, 1), "._-"))
			value = str_sub(value, 1, value.len);
		else
			return false;
	}
	return true;
}
const struct form form_pattern = { fits_pattern,
	"may hold letters, digits, '.', '_', '-' and the tokens {date} and "
	"{n}", "^([A-Za-z0-9._-]|\\{date\\}|\\{n\\})+$" };

static bool
fits_place(struct str value)
{
	return only(value, "-_") && value.data[0] != '-';
}
const struct form form_place = { fits_place,
	"must be the id of a data center", "^[A-Za-z0-9_][A-Za-z0-9_-]*$" };

static bool
fits_absolute(struct str value)
{
	return value.len > 0 && value.data[0] == '/';
}
const struct form form_absolute = { fits_absolute,
	"must be an absolute path on the pod", "^/" };

/* Stays below where it starts: relative, without `..`. */
static bool
fits_below(struct str value)
{
	struct str rest = value;

	if (value.len == 0 || value.data[0] == '/' || value.data[0] == '~')
		return false;
	while (rest.data != NULL) {
		struct str part = str_cut(rest, '/', &rest);
		if (str_is(part, ".."))
			return false;
	}
	return true;
}
const struct form form_below = { fits_below,
	"must be a relative path without '..'",
	"^(?![/~])(?!(.*/)?\\.\\.(/|$))." };

static bool
fits_version(struct str value)
{
	struct str minor;
	struct str major = str_cut(value, '.', &minor);
	for (size_t i = 0; i < major.len; i++)
		if (!is_digit(major.data[i]))
			return false;
	for (size_t i = 0; i < minor.len; i++)
		if (!is_digit(minor.data[i]))
			return false;
	return major.len > 0 && minor.len > 0 && value.len <= 12;
}
const struct form form_cuda = { fits_version,
	"must be two numbers with a dot", "^[0-9]+\\.[0-9]+$" };

static bool
fits_runner_version(struct str value)
{
	struct str rest = value;
	int parts = 0;

	if (str_is(value, "latest"))
		return true;
	while (rest.data != NULL) {
		int64_t number;
		struct str part = str_cut(rest, '.', &rest);
		if (!parse_int(part, 0, 100000, &number))
			return false;
		parts++;
	}
	return parts == 3;
}
const struct form form_runner_version = { fits_runner_version,
	"must be 'latest' or three numbers with dots",
	"^(latest|[0-9]+\\.[0-9]+\\.[0-9]+)$" };

static bool
fits_repository(struct str value)
{
	struct str name;
	struct str owner = str_cut(value, '/', &name);
	return only(owner, "-") && only(name, "._-");
}
const struct form form_repository = { fits_repository,
	"must be OWNER/NAME", "^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$" };

static bool
fits_organization(struct str value)
{
	return only(value, "-");
}
const struct form form_organization = { fits_organization,
	"must be the name of an organization", "^[A-Za-z0-9-]+$" };

static bool
fits_label(struct str value)
{
	return only(value, "._-");
}
const struct form form_label = { fits_label,
	"must be letters, digits, '.', '_' and '-'", "^[A-Za-z0-9._-]+$" };

/* The name of a pod, or one of its instances: `trainer[2]`. */
static bool
fits_pod_ref(struct str value)
{
	struct str key;
	struct str name = str_cut(value, '[', &key);
	int64_t number;

	if (key.data != NULL && (!str_ends(key, STR("]")) ||
	    !parse_int(str_sub(key, 0, key.len - 1), 0, 100000, &number)))
		return false;
	return fits_name(name);
}
const struct form form_pod_ref = { fits_pod_ref,
	"must be the name of a pod, such as trainer or trainer[2]",
	"^[a-z0-9][a-z0-9-]*(\\[(0|[1-9][0-9]*)\\])?$" };

static bool
fits_host(struct str value)
{
	return only(value, ".-_");
}

bool
parse_local(struct str text, struct str *address, int64_t *port)
{
	*address = STR("127.0.0.1");
	*port = 0;
	if (str_is(text, "auto"))
		return true;
	if (text.len > 0 && text.data[0] == '/') {
		*address = text;
		return true;
	}
	ptrdiff_t colon = str_rfind(text, ':');
	if (colon >= 0) {
		*address = str_sub(text, 0, (size_t)colon);
		text = str_sub(text, (size_t)colon + 1, text.len);
		if (address->len > 2 && address->data[0] == '[' &&
		    str_ends(*address, STR("]"))) {
			*address = str_sub(*address, 1, address->len - 2);
			if (!only(*address, ":."))
				return false;
		} else if (!fits_host(*address)) {
			return false;
		}
	}
	return parse_int(text, 0, 65535, port);
}

static bool
fits_local(struct str value)
{
	struct str address;
	int64_t port;
	return parse_local(value, &address, &port);
}
const struct form form_local = { fits_local,
	"must be a port, ADDRESS:PORT, 'auto' or the path of a socket",
	"^(auto|/.*|([A-Za-z0-9._-]+:|\\[[0-9A-Fa-f:.]+\\]:)?"
	"(0|[1-9][0-9]{0,4}))$" };

bool
parse_remote(struct str text, struct str *host, int64_t *port)
{
	ptrdiff_t colon = str_rfind(text, ':');

	*host = STR("127.0.0.1");
	if (colon >= 0) {
		*host = str_sub(text, 0, (size_t)colon);
		text = str_sub(text, (size_t)colon + 1, text.len);
		if (!fits_host(*host))
			return false;
	}
	return parse_int(text, 1, 65535, port);
}

static bool
fits_remote(struct str value)
{
	struct str host;
	int64_t port;
	return parse_remote(value, &host, &port);
}
const struct form form_remote = { fits_remote,
	"must be a port from 1 to 65535 or HOST:PORT",
	"^([A-Za-z0-9._-]+:)?[1-9][0-9]{0,4}$" };

static bool
fits_url(struct str value)
{
	return str_starts(value, STR("http://")) ||
	    str_starts(value, STR("https://"));
}
const struct form form_url = { fits_url,
	"must begin with http:// or https://", "^https?://." };

static bool
fits_user(struct str value)
{
	return only(value, "._-") && value.data[0] != '-';
}
const struct form form_user = { fits_user,
	"must be a user name", "^[A-Za-z0-9._][A-Za-z0-9._-]*$" };
