/*
 * task_runner.c - the scripts of a GitHub runner: install, start, look, stop
 *
 * A runner is a directory of its own, $dir, with the unpacked package; what
 * is ours in it begins with .podform-.  A loop runs the listener itself
 * rather than run.sh, which hides its exit code, and knows what the codes
 * mean (2: again; 3, 4: it updates itself; all else: it is over).
 */
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "ssh/task.h"

/* Where it is: below the home of a user of its own, if there is one. */
static const char where[] =
    "user=podform-runner\n"
    "if [ \"$no_user\" = 1 ] || [ \"$(id -u)\" != 0 ]; then user=; fi\n"
    "root=$base/runners\n"
    "if [ -n \"$user\" ]; then\n"
    "\tif ! id \"$user\" >/dev/null 2>&1 && [ \"$make_user\" = 1 ]; then\n"
    "\t\tuseradd -r -m -d /opt/podform-runner -s /bin/sh \"$user\""
    " 2>/dev/null ||\n"
    "\t\tadduser -D -h /opt/podform-runner -s /bin/sh \"$user\""
    " >/dev/null 2>&1\n"
    "\tfi\n"
    /* Without PAM's files su does nothing, and setpriv does. */
    "\tuid=$(id -u \"$user\" 2>/dev/null) switch=\n"
    "\tif [ -z \"$uid\" ]; then user=\n"
    "\telif su -s /bin/sh -c : \"$user\" >/dev/null 2>&1 </dev/null;"
    " then switch=su\n"
    "\telif setpriv --reuid \"$uid\" --regid \"$(id -g \"$user\")\""
    " --init-groups true 2>/dev/null; then switch=setpriv\n"
    "\telse user=; fi\n"
    "\t[ -z \"$user\" ] || root=/opt/podform-runner/runners\n"
    "fi\n"
    /* One that was made another way is found where it is; and one that is
     * another user's, whom we cannot become now, may have a job. */
    "if [ \"$make_user\" != 1 ]; then\n"
    "\tfor b in \"$HOME/.podform\" \"/var/tmp/.podform-$(id -u)\""
    " \"/tmp/.podform-$(id -u)\"; do\n"
    "\t\tif [ -d \"$b/runners/$name\" ]; then"
    " root=$b/runners user=; break; fi\n"
    "\tdone\n"
    "\tif [ -z \"$user\" ] && [ ! -d \"$root/$name\" ] &&"
    " [ -d \"/opt/podform-runner/runners/$name\" ]; then\n"
    "\t\techo 'podform: cannot act as the user of the runner'; exit 71\n"
    "\tfi\n"
    "fi\n"
    "mkdir -p \"$root\"\n"
    /* As /proc will show it. */
    "root=$(cd \"$root\" && pwd -P) || exit 73\n"
    "[ -z \"$user\" ] || chmod 755 \"${root%/*}\" \"$root\" 2>/dev/null\n"
    "dir=$root/$name\n"
    /* as COMMAND...: by that user, with a home of its own; x=exec: instead
     * of this shell. */
    "x=\n"
    "as() {\n"
    "\tcase $user:$switch in\n"
    "\t:*) $x \"$@\";;\n"
    "\t*:su) $x su -s /bin/sh -c 'exec \"$@\"' \"$user\" sh \"$@\";;\n"
    "\t*) $x setpriv --reuid \"$uid\" --regid \"$(id -g \"$user\")\""
    " --init-groups env HOME=/opt/podform-runner USER=\"$user\""
    " LOGNAME=\"$user\" \"$@\";;\n"
    "\tesac\n"
    "}\n"
    "own() { [ -z \"$user\" ] || chown -R \"$user\" \"$@\"; }\n"
    /* alive Runner.Worker: pids of such processes of this directory.  In
     * a container root may not look where another user's process is, so
     * that user looks; where nobody can tell it counts, since it may be. */
    "alive() {\n"
    "\tfor q in /proc/[0-9]*; do\n"
    "\t\tc=$(tr '\\0' ' ' <\"$q/cmdline\" 2>/dev/null) || continue\n"
    "\t\tcase $c in *\"$1\"*) ;; *) continue;; esac\n"
    "\t\tcase $c in *\"$dir/\"*) echo \"${q#/proc/}\"; continue;; esac\n"
    "\t\tat=$(readlink \"$q/cwd\" 2>/dev/null) ||"
    " at=$(as readlink \"$q/cwd\" 2>/dev/null) ||"
    " { [ ! -d \"$q\" ] || echo \"${q#/proc/}\"; continue; }\n"
    "\t\tcase $at/ in \"$dir/\"*) echo \"${q#/proc/}\";; esac\n"
    "\tdone\n"
    "}\n"
    "unit=podform-runner-$name.service\n";

/* Ends loop and listener: never called while a worker is alive. */
static const char stop_it[] =
    "stop_it() {\n"
    "\tif [ -e \"/etc/systemd/system/$unit\" ]; then\n"
    "\t\tsystemctl disable --now \"$unit\" >/dev/null 2>&1\n"
    "\t\trm -f \"/etc/systemd/system/$unit\"; systemctl daemon-reload\n"
    "\tfi\n"
    "\tfor q in $(alive .podform-loop); do kill -TERM \"$q\" 2>/dev/null;"
    " done\n"
    /* TERM and INT mean the same to it, but what a shell has started in
     * the background may ignore INT. */
    "\tfor q in $(alive Runner.Listener) $(alive run.sh); do"
    " kill -TERM \"$q\" 2>/dev/null; done\n"
    "\ti=0; while [ -n \"$(alive Runner.Listener)\" ] && [ $i -lt 100 ]; do"
    " sleep 0.1; i=$((i + 1)); done\n"
    "\tfor q in $(alive Runner.Listener) $(alive run.sh); do"
    " kill -KILL \"$q\" 2>/dev/null; done\n"
    "}\n"
    "if [ -n \"$(alive Runner.Worker)\" ]; then\n"
    "\techo 'podform: the runner has a job'; echo worker=1; exit 75\n"
    "fi\n";

static const char install[] =
    "case $(uname -m) in x86_64|amd64) ;; *) echo \"podform: the pod is"
    " $(uname -m), and runners are had for x64\"; exit 65;; esac\n"
    "if [ \"$(cat \"$dir/.podform-version\" 2>/dev/null)\" = \"$version\" ]"
    " && [ -e \"$dir/run.sh\" ]; then exit 0; fi\n"
    "[ -z \"$(alive Runner.Worker)\" ] || { echo 'podform: the runner has a"
    " job'; exit 75; }\n"
    "sum() { [ -z \"$sha256\" ] ||"
    " echo \"$sha256  $1\" | sha256sum -c - >/dev/null 2>&1; }\n"
    "mkdir -p \"$base/packages\" || exit 73\n"
    "file=$base/packages/$filename\n"
    "if [ -n \"$package\" ]; then\n"
    "\tsum \"$package\" || { rm -f \"$package\"; echo 'podform: the copied"
    " package has not the digest that GitHub gave'; exit 66; }\n"
    "\tmv -f \"$package\" \"$file\" || exit 73\n"
    "elif [ ! -e \"$file\" ] || ! sum \"$file\"; then\n"
    "\tpart=$file.$name.part\n"
    /* Over plain http nobody knows who answers, also after a redirect; only
     * what begins on this machine, as in a test, may go on so. */
    "\tcase $url in\n"
    "\thttps://*) p=https;;\n"
    "\thttp://127.0.0.1[:/]*|http://localhost[:/]*|'http://[::1]'[:/]*)"
    " p=https,http;;\n"
    "\t*) echo 'podform: a runner package is fetched over https alone';"
    " exit 69;;\n"
    "\tesac\n"
    "\tif command -v curl >/dev/null 2>&1; then\n"
    "\t\t{ echo 'fail'; echo 'silent'; echo 'show-error'; echo 'location';"
    " echo 'connect-timeout = 20'; echo \"proto = \\\"=$p\\\"\";"
    " echo \"proto-redir = \\\"=$p\\\"\"; echo \"url = \\\"$url\\\"\";"
    " [ -z \"$token\" ] || echo \"header = \\\"Authorization: Bearer"
    " $token\\\"\"; } | curl --config - -o \"$part\"\n"
    "\telif command -v python3 >/dev/null 2>&1; then\n"
    "\t\turl=$url token=$token part=$part p=$p python3 -c '\n"
    "import os, shutil, urllib.request as u\n"
    "ok = tuple(s + \"://\" for s in os.environ[\"p\"].split(\",\"))\n"
    "class H(u.HTTPRedirectHandler):\n"
    "  def redirect_request(self, q, f, c, m, h, to):\n"
    "    if not to.startswith(ok): raise OSError(\"redirected to http\")\n"
    "    return super().redirect_request(q, f, c, m, h, to)\n"
    "r = u.Request(os.environ[\"url\"])\n"
    "t = os.environ[\"token\"]\n"
    "if t: r.add_unredirected_header(\"Authorization\", \"Bearer \" + t)\n"
    "with u.build_opener(H).open(r, timeout=60) as i,"
    " open(os.environ[\"part\"], \"wb\") as o: shutil.copyfileobj(i, o)'\n"
    "\telif command -v wget >/dev/null 2>&1 && [ -z \"$token\" ]; then\n"
    /* It cannot be told which redirects to follow, so it follows none. */
    "\t\tstep_by_step() {\n"
    "\t\t\tu=$url n=0\n"
    "\t\t\twhile [ -n \"$u\" ] && [ $n -lt 6 ]; do\n"
    "\t\t\t\tcase $p:$u in *:https://*|https,http:http://*) ;;"
    " *) return 1;; esac\n"
    "\t\t\t\tsaid=$(wget -q -S --max-redirect=0 -O \"$part\" \"$u\" 2>&1)"
    " && return 0\n"
    "\t\t\t\tu=$(echo \"$said\" | tr -d '\\r' | sed -n"
    " 's/^ *[Ll]ocation: *\\([^ ]*\\).*/\\1/p' | tail -n 1)\n"
    "\t\t\t\tn=$((n + 1))\n"
    "\t\t\tdone\n"
    "\t\t\treturn 1\n"
    "\t\t}\n"
    "\t\tstep_by_step\n"
    "\telse echo 'podform: the pod has neither curl nor python3 nor wget';"
    " false\n"
    "\tfi && sum \"$part\" && mv -f \"$part\" \"$file\" || {\n"
    "\t\trm -f \"$part\"\n"
    "\t\techo 'podform: the pod cannot fetch the runner package'; exit 69\n"
    "\t}\n"
    "fi\n"
    "rm -rf \"$dir.new\"; mkdir -p \"$dir.new\" &&"
    " tar -xzf \"$file\" -C \"$dir.new\" || { rm -rf \"$dir.new\";"
    " echo 'podform: the runner package cannot be unpacked'; exit 1; }\n"
    "echo \"$version\" >\"$dir.new/.podform-version\"\n"
    "chmod 755 \"$dir.new\"; own \"$dir.new\"\n"
    "rm -rf \"$dir\"; mv \"$dir.new\" \"$dir\" || exit 1\n"
    /* It stays for the next runner of this pod; older ones go. */
    "touch \"$file\"\n"
    "find \"$base/packages\" -type f ! -name \"$filename\" -mmin +60"
    " -exec rm -f {} + 2>/dev/null\n"
    "exit 0\n";

/*
 * The environment of jobs is the container's without what is RunPod's, ours
 * or of no use to them: keys that pods are given, what sshd has set, and
 * tokens that the tools of a job would take for the job's own.  What the
 * spec gives to the pod by `env` is there.
 *
 * A listener that was killed (the OOM killer, a crash) is started again, at
 * most ten times in a row; TERM to the loop ends the listener first.
 */
static const char loop[] =
    "cd \"${0%/*}\" || exit 1\n"
    "dir=$(pwd -P) c= stop= again=0\n"
    "trap 'stop=1; [ -z \"$c\" ] || kill -TERM \"$c\" 2>/dev/null' TERM\n"
    /* The container's is root's. */
    "home=$HOME user=$USER name=$LOGNAME\n"
    "[ ! -r /etc/rp_environment ] || . /etc/rp_environment\n"
    "HOME=${home:-$dir} USER=$user LOGNAME=$name\n"
    "export HOME USER LOGNAME\n"
    "for v in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do"
    " case $v in RUNPOD_*KEY|RUNPOD_*TOKEN|RUNPOD_*SECRET|RUNPOD_*PASSWORD|"
    "RUNPOD_*JWT|SSH_*|PODFORM_*|PUBLIC_KEY|JUPYTER_PASSWORD|"
    "JUPYTER_TOKEN|GITHUB_TOKEN|GH_TOKEN|ACTIONS_RUNNER_INPUT_*|MAIL|_)"
    " unset \"$v\";; esac; done\n"
    "export ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1\n"
    "[ \"$(id -u)\" != 0 ] || export RUNNER_ALLOW_RUNASROOT=1\n"
    "unset OLDPWD home user name v\n"
    "umask 022\n"
    "while [ -e .runner ] && [ -z \"$stop\" ]; do\n"
    "\tbegan=$(date +%s)\n"
    "\tif [ -x bin/Runner.Listener ]; then \"$dir/bin/Runner.Listener\" run;"
    " else /bin/bash \"$dir/run.sh\"; fi </dev/null >>.podform-log 2>&1 &\n"
    "\tc=$!; wait $c; s=$?\n"
    "\twhile [ -n \"$stop\" ] && kill -0 $c 2>/dev/null; do wait $c; s=$?;"
    " done\n"
    "\tc=\n"
    "\t[ $(($(date +%s) - began)) -lt 60 ] || again=0\n"
    "\tcase $s in\n"
    "\t2) sleep 5;;\n"
    "\t3|4) i=0; while [ ! -e update.finished ] && [ $i -lt 30 ]; do"
    " sleep 1; i=$((i + 1)); done; rm -f update.finished;;\n"
    "\t130|143) break;;\n"
    "\t12[89]|1[3-9]?)\n"
    "\t\techo \"podform: the listener was killed (code $s)\" >>.podform-log\n"
    "\t\tagain=$((again + 1)); [ $again -le 10 ] || break\n"
    "\t\tsleep $((again < 6 ? again : 6));;\n"
    "\t*) break;;\n"
    "\tesac\n"
    "done\n"
    "echo \"ended with code ${s:-1}: $(tail -n 1 .podform-log | cut -c1-300)\""
    " >.podform-ended\n";

static const char start_before[] =
    "[ -e \"$dir/run.sh\" ] || { echo 'podform: the runner is not"
    " installed'; exit 67; }\n"
    "stop_it\n"
    "cd \"$dir\" || exit 1\n"
    "dir=$(pwd -P)\n"
    "rm -f .runner .credentials .credentials_rsaparams .podform-ended\n"
    ": >.podform-log\n";

static const char configure[] =
    "own .podform-config\n"
    /* With the container's proxies and paths. */
    "as /bin/sh -c 'h=$HOME; [ ! -r /etc/rp_environment ] ||"
    " . /etc/rp_environment; export HOME=\"$h\";"
    " . \"$0/.podform-config\"; rm -f \"$0/.podform-config\";"
    " cd \"$0\" && RUNNER_ALLOW_RUNASROOT=1 ./config.sh --unattended"
    " </dev/null' \"$dir\" >.podform-log 2>&1 || {\n"
    "\trm -f .podform-config\n"
    "\ttail -n 20 .podform-log\n"
    "\techo \"podform: the runner could not be configured: $(why"
    " .podform-log)\" | cut -c1-500\n"
    "\texit 68\n"
    "}\n";

/* The line of a log that says most: the last one of the first kind that is
 * there. */
static const char why_line[] =
    "why() {\n"
    "\tfor w in 'is out of date and can no longer register' 'is deprecated"
    " and cannot receive messages' 'registration has been deleted'"
    " 'A session for this runner already exists' 'A runner exists with the"
    " same name' 'dependencies is missing' 'Must not run'"
    " 'Invalid configuration provided' 'Runner is not configured'"
    " 'Http response code' 'Runner connect error' 'no longer exists on the"
    " server' 'An error occurred' 'the listener was killed'; do\n"
    "\t\tif l=$(grep -F \"$w\" \"$1\" | tail -n 1) && [ -n \"$l\" ];"
    " then echo \"$l\"; return; fi\n"
    "\tdone\n"
    "\ttail -n 1 \"$1\"\n"
    "}\n";

static const char start_after[] =
    "chmod 600 .runner .credentials .credentials_rsaparams 2>/dev/null\n"
    "own \"$dir\"\n"
    "if [ -d /run/systemd/system ] && [ \"$(id -u)\" = 0 ]; then\n"
    "\t{ echo \"[Unit]\"; echo \"Description=GitHub runner $name\";"
    " echo \"After=network-online.target\"; echo \"[Service]\";"
    " [ -z \"$user\" ] || echo \"User=$user\";"
    " echo \"WorkingDirectory=$dir\";"
    " echo \"ExecStart=/bin/sh $dir/.podform-loop\";"
    " echo \"KillMode=mixed\"; echo \"TimeoutStopSec=5min\";"
    " echo \"Restart=on-abnormal\"; echo \"RestartSec=5\";"
    " echo \"[Install]\"; echo \"WantedBy=multi-user.target\"; }"
    " >\"/etc/systemd/system/$unit\"\n"
    "\tsystemctl daemon-reload && systemctl enable --now \"$unit\""
    " || exit 1\n"
    "elif command -v setsid >/dev/null 2>&1; then\n"
    /* By exec, or a copy of what we were called with stays open. */
    "\t(exec </dev/null >/dev/null 2>&1; x=exec;"
    " as setsid /bin/sh \"$dir/.podform-loop\") &\n"
    "else\n"
    "\tset -m; (exec </dev/null >/dev/null 2>&1; x=exec;"
    " as nohup /bin/sh \"$dir/.podform-loop\") &\n"
    "fi\n"
    "i=0\n"
    "while [ $i -lt 600 ]; do\n"
    "\tgrep -q 'Listening for Jobs' .podform-log 2>/dev/null && exit 0\n"
    "\t[ ! -e .podform-ended ] || break\n"
    "\tsleep 0.2; i=$((i + 1))\n"
    "done\n"
    "tail -n 20 .podform-log\n"
    "cat .podform-ended 2>/dev/null\n"
    "echo \"podform: the runner does not listen for jobs: $(why"
    " .podform-log)\" | cut -c1-500\n"
    "exit 68\n";

static const char look[] =
    "[ -z \"$(alive Runner.Listener)\" ] || echo listener=1\n"
    "[ -z \"$(alive Runner.Worker)\" ] || echo worker=1\n"
    "l=$(cat \"$dir/.podform-ended\" 2>/dev/null)\n"
    "[ -n \"$l\" ] || l=$(grep -E 'Listening for Jobs|Running job: |completed"
    " with result: |connect error|is deprecated|session for this runner|"
    "registration has been|no longer exists|update in progress|Exiting'"
    " \"$dir/.podform-log\" 2>/dev/null | tail -n 1)\n"
    "echo \"line=$l\" | head -n 1 | cut -c1-400\n";

static const char stop[] =
    "stop_it\n"
    /* It may have taken a job in that moment; then its files are its own. */
    "[ -z \"$(alive Runner.Worker)\" ] || { echo worker=1; exit 75; }\n"
    "cd / && rm -rf \"$dir\"\n"
    "exit 0\n";

/* ------------------------------------------------------------ making them -- */

static void
put_file(struct strbuf *out, struct str name, const char *token,
    struct str text)
{
	strbuf_addf(out, "cat >\"$dir/" STR_FMT "\" <<'PODFORM-%s'\n",
	    STR_ARG(name), token);
	strbuf_add(out, text);
	if (!str_ends(text, STR("\n")))
		strbuf_addc(out, '\n');
	strbuf_addf(out, "PODFORM-%s\n", token);
}

/* The files that a JIT configuration stands for: base64 of a JSON object of
 * names to base64.  Names that GitHub uses, and no others. */
static bool
put_jit(struct strbuf *out, struct str jit, const char *token)
{
	static const char *const names[] = {
		".runner", ".credentials", ".credentials_rsaparams",
	};
	struct arena arena = {0};
	struct json_reader reader = { .arena = &arena, .where = "jit" };
	struct json doc;
	struct json_error error;
	struct str text, value, bytes;
	bool ok = false;

	if (!base64_decode(&arena, str_trim(jit), &text) ||
	    !json_parse(&arena, text, (struct json_limits){0}, &doc, &error))
		goto out;
	struct json_value root = json_root(&doc);
	ok = json_is(root, JSON_OBJECT) && json_count(root) <=
	    COUNTOF(names);
	for (struct json_iter it = json_iter(root); ok && json_next(&it);) {
		struct str key = json_iter_key(&arena, &it);
		bool known = false;
		for (size_t i = 0; i < COUNTOF(names); i++)
			known |= str_is(key, names[i]);
		ok = known && json_value_str(&reader, it.value, &value) &&
		    base64_decode(&arena, value, &bytes) &&
		    str_find(bytes, '\0') < 0;
		if (ok)
			put_file(out, key, token, bytes);
	}
	ok = ok && json_exists(json_get(root, ".runner"));
out:
	arena_release(&arena);
	return ok;
}

/* What config.sh reads from the environment, in a file that is read once. */
static void
put_config(struct strbuf *out, const struct ssh_runner *runner,
    const char *token)
{
	struct strbuf text = {0};
	const char *prefix = "export ACTIONS_RUNNER_INPUT_";

	task_set(&text, prefix, "URL", runner->url);
	task_set(&text, prefix, "TOKEN", runner->registration_token);
	task_set(&text, prefix, "NAME", runner->name);
	if (runner->labels.len > 0)
		task_set(&text, prefix, "LABELS", runner->labels);
	if (runner->group.len > 0)
		task_set(&text, prefix, "RUNNERGROUP", runner->group);
	if (runner->ephemeral)
		task_set(&text, prefix, "EPHEMERAL", STR("true"));
	if (runner->pinned)
		task_set(&text, prefix, "DISABLEUPDATE", STR("true"));
	put_file(out, STR(".podform-config"), token, strbuf_str(&text));
	strbuf_adds(out, configure);
	explicit_bzero(text.data, text.len);
	strbuf_release(&text);
}

static bool
start_script(struct strbuf *out, const struct ssh_runner *runner,
    const char *token, const char **why)
{
	strbuf_adds(out, stop_it);
	strbuf_adds(out, why_line);
	strbuf_adds(out, start_before);
	if (runner->jit.len > 0) {
		*why = "GitHub's configuration of the runner is none";
		if (!put_jit(out, runner->jit, token))
			return false;
	} else if (runner->registration_token.len > 0) {
		put_config(out, runner, token);
	} else {
		*why = "there is neither a configuration nor a token";
		return false;
	}
	put_file(out, STR(".podform-loop"), token, str_from(loop));
	strbuf_adds(out, start_after);
	return true;
}

/* It goes between quotes in a configuration of curl. */
static bool
is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == '"' ||
		    text.data[i] == '\\' || text.data[i] == 0x7f)
			return false;
	return true;
}

bool
task_runner_script(struct strbuf *out, const struct ssh_request *request,
    const char *token, struct str package, const char **why)
{
	const struct ssh_runner *runner = &request->runner;
	const struct runner_package *p = &runner->package;
	bool installs = request->task == SSH_RUNNER_INSTALL;

	*why = "a runner cannot be called so";
	if (!task_is_name(runner->name) ||
	    (p->filename.len > 0 && !task_is_name(p->filename)) ||
	    !is_plain(p->url) || !is_plain(p->token))
		return false;
	task_set(out, "", "name", runner->name);
	task_set(out, "", "no_user", runner->no_user ? STR("1") : STR(""));
	task_set(out, "", "make_user", installs && !runner->no_user ?
	    STR("1") : STR(""));
	strbuf_adds(out, where);
	switch (request->task) {
	case SSH_RUNNER_INSTALL:
		task_set(out, "", "version", p->version);
		task_set(out, "", "url", p->url);
		task_set(out, "", "sha256", p->sha256);
		task_set(out, "", "token", p->token);
		task_set(out, "", "filename", p->filename.len > 0 ?
		    p->filename : STR("runner.tar.gz"));
		task_set(out, "", "package", package);
		strbuf_adds(out, install);
		return true;
	case SSH_RUNNER_START:
		return start_script(out, runner, token, why);
	case SSH_RUNNER_LOOK:
		strbuf_adds(out, look);
		return true;
	default:
		strbuf_adds(out, stop_it);
		strbuf_adds(out, stop);
		return true;
	}
}
