/* ssh_config.c - see ssh_config.h */
#include "ui/ssh_config.h"

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* Letters, digits, `._-` and what else is allowed, but no dash first. */
static bool
is_word(struct str text, const char *more, size_t max)
{
	if (text.len == 0 || text.len > max || text.data[0] == '-')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_plain(text.data[i]) && (text.data[i] == '\0' ||
		    str_find(str_from(more), text.data[i]) < 0))
			return false;
	return true;
}

bool
ssh_config_host_ok(struct str host)
{
	return is_word(host, ":", 253);
}

bool
ssh_config_user_ok(struct str user)
{
	return is_word(user, "", 64);
}

/*
 * Inside double quotes blanks are fine; a quote, a backslash or a control
 * character are not, nor is the beginning of a variable, which cannot be
 * written otherwise.
 */
static bool
path_ok(struct str path)
{
	if (path.len == 0 || path.data[0] != '/' ||
	    str_search(path, STR("${")) >= 0)
		return false;
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.data[i];
		if (c < ' ' || c == 0x7f || c == '"' || c == '\\')
			return false;
	}
	return true;
}

static void
put_path(struct strbuf *out, const char *name, struct str path)
{
	strbuf_addf(out, "  %s \"", name);
	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] == '%')	/* would begin a token */
			strbuf_addc(out, '%');
		strbuf_addc(out, path.data[i]);
	}
	strbuf_adds(out, "\"\n");
}

/* `pod.trainer[1]` as one word without brackets: `trainer-1`. */
static void
put_short_name(struct strbuf *out, struct str address)
{
	struct str name;

	str_cut(address, '.', &name);
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '[')
			strbuf_addc(out, '-');
		else if (name.data[i] != ']')
			strbuf_addc(out, name.data[i]);
	}
}

void
ssh_config_comment(struct strbuf *out, struct str address, struct str why)
{
	strbuf_adds(out, "# ");
	strbuf_add_escaped(out, address);
	strbuf_adds(out, ": ");
	strbuf_add_escaped(out, why);
	strbuf_addc(out, '\n');
}

static const char *
what_is_wrong(const struct ssh_config_host *host)
{
	if (!is_word(host->address, "[]", 200) || (host->project.len > 0 &&
	    !is_word(host->project, "", 200)))
		return "its name cannot be written";
	if (!ssh_config_host_ok(host->host) || host->port == 0)
		return "its host is no host name or address";
	if (!ssh_config_user_ok(host->user))
		return "its user is no user name";
	if (host->key.len > 0 && !path_ok(host->key))
		return "the path of its key cannot be written";
	if (!path_ok(host->known_hosts) || !is_word(host->alias, "", 200))
		return "the path of its host key cannot be written";
	return NULL;
}

bool
ssh_config_block(struct strbuf *out, const struct ssh_config_host *host)
{
	const char *wrong = what_is_wrong(host);

	if (wrong != NULL) {
		ssh_config_comment(out, host->address, str_from(wrong));
		return false;
	}
	strbuf_addf(out, "Host " STR_FMT, STR_ARG(host->address));
	if (host->project.len > 0) {
		strbuf_addf(out, " podform-" STR_FMT "-",
		    STR_ARG(host->project));
		put_short_name(out, host->address);
	}
	strbuf_addf(out, "\n  HostName " STR_FMT "\n  Port %u\n  User "
	    STR_FMT "\n", STR_ARG(host->host), host->port,
	    STR_ARG(host->user));
	if (host->key.len > 0)
		put_path(out, "IdentityFile", host->key);
	put_path(out, "UserKnownHostsFile", host->known_hosts);
	strbuf_addf(out, "  HostKeyAlias " STR_FMT "\n"
	    "  StrictHostKeyChecking yes\n"
	    "  CheckHostIP no\n"
	    "  UpdateHostKeys no\n", STR_ARG(host->alias));
	return true;
}
