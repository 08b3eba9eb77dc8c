/*
 * test_spec_values.c - values that are wrong: what is said, and where.
 *
 * The names are those of the catalogue of bad inputs where it has one.  A
 * case without messages is one that is right and looks odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "spec_world.h"

/* Fields of a pod that begin on line 7; see spec_pod_says(). */
static const struct {
	const char *name, *fields, *heads;
} pods[] = {
	{ "V-01a",
	  "    protect: yes\n",
	  "a.yaml:7:14: error: 'protect' must be true or false, found "
	  "'yes' [PF0112]\n" },
	{ "V-01b",
	  "    protect: NO\n",
	  "a.yaml:7:14: error: 'protect' must be true or false, found "
	  "'NO' [PF0112]\n" },
	{ "V-01c",
	  "    protect: \"true\"\n",
	  "a.yaml:7:14: error: 'protect' must be true or false, found "
	  "the quoted text 'true' [PF0112]\n" },
	{ "V-02",
	  "    min_cuda: 12.10\n",
	  "" },
	{ "V-03",
	  "    gpu_count: 010\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '010' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 0x1F\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '0x1F' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 1_000\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '1_000' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 1e2\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '1e2' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 12:30\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '12:30' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: +5\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '+5' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 5.0\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '5.0' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 11\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '11' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: 0\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '0' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: -1\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '-1' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: -0\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found '-0' [PF0112]\n" },
	{ "V-03",
	  "    gpu_count: \"1\"\n",
	  "a.yaml:7:16: error: 'gpu_count' must be a whole number from 1 "
	  "to 10, found the quoted text '1' [PF0112]\n" },
	{ "V-04",
	  "    disk: 010GB\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '010GB' [PF0112]\n" },
	{ "V-04",
	  "    disk: 1e2GB\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '1e2GB' [PF0112]\n" },
	{ "V-04",
	  "    disk: 99999999999999999999GB\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '99999999999999999999GB' [PF0112]\n" },
	{ "V-04",
	  "    disk: 50\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '50' [PF0112]\n" },
	{ "V-04",
	  "    disk: 50gb\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '50gb' [PF0112]\n" },
	{ "V-04",
	  "    disk: 50GiB\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '50GiB' [PF0112]\n" },
	{ "V-04",
	  "    disk: 0GB\n",
	  "a.yaml:7:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found '0GB' [PF0112]\n" },
	{ "V-05",
	  "    replicas: -1\n",
	  "a.yaml:7:15: error: 'replicas' must be a whole number from 0 "
	  "to 1000, found '-1' [PF0112]\n" },
	{ "V-05",
	  "    replicas: -0\n",
	  "a.yaml:7:15: error: 'replicas' must be a whole number from 0 "
	  "to 1000, found '-0' [PF0112]\n" },
	{ "V-05",
	  "    replicas: 1001\n",
	  "a.yaml:7:15: error: 'replicas' must be a whole number from 0 "
	  "to 1000, found '1001' [PF0112]\n" },
	{ "V-06",
	  "    name: \"x\\e[2Jy\"\n",
	  "a.yaml:7:11: error: 'name' holds an escape character "
	  "(U+001B): 'x\\x1b[2Jy' [PF0102]\n" },
	{ "V-07b",
	  "    name: ''\n",
	  "a.yaml:7:11: error: 'name' is empty [PF0112]\n" },
	{ "V-07c",
	  "    name: a{foo}\n",
	  "a.yaml:7:11: error: 'name' may hold letters, digits, '.', "
	  "'_', '-' and the tokens {date} and {n}, found 'a{foo}' [PF0112]\n" },
	{ "V-08",
	  "    env:\n"
	  "      A=B: x\n",
	  "a.yaml:8:7: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'A=B' [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      '': x\n",
	  "a.yaml:8:7: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'' [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      1X: x\n",
	  "a.yaml:8:7: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'1X' [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      \"A B\": x\n",
	  "a.yaml:8:7: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'A B' [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      \"A\\nB\": x\n",
	  "a.yaml:8:7: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'A\\nB' [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      PODFORM_MARK: x\n",
	  "a.yaml:8:7: error: PODFORM_MARK is podform's own: it says "
	  "whose a pod is [PF0115]\n" },
	{ "V-08",
	  "    env:\n"
	  "      ? |\n"
	  "      A\n"
	  "      B\n"
	  "     : x\n",
	  "a.yaml:8:9: error: the name of an environment variable must "
	  "be letters, digits and '_', and not begin with a digit, found "
	  "'' [PF0115]\n"
	  "a.yaml:9:7: error: this line is neither `key: value` nor part "
	  "of a value [PF0101]\n" },
	{ "V-09",
	  "    env: { A: \"x\\0y\" }\n",
	  "a.yaml:7:15: error: 'env' holds a NUL byte (U+0000): 'x\\x00y' "
	  "[PF0102]\n" },
	{ "V-09b",
	  "    env: { A: \"x\\ny\\tz\" }\n",
	  "" },
	{ "V-10c",
	  "    timeout: 10m\n",
	  "a.yaml:7:5: error: unknown field 'timeout' in pod 'p' [PF0103]\n" },
	{ "V-10d",
	  "    pods: {}\n"
	  "    gpus: 2\n"
	  "    zzz: 1\n",
	  "a.yaml:7:5: error: unknown field 'pods' in pod 'p' [PF0103]\n"
	  "a.yaml:8:5: error: unknown field 'gpus' in pod 'p' [PF0103]\n"
	  "a.yaml:9:5: error: unknown field 'zzz' in pod 'p' [PF0103]\n" },
	{ "V-11b",
	  "    env: { X: '${pod.p.id}' }\n",
	  "a.yaml:7:15: error: pods need each other in a ring: p -> p "
	  "[PF0124]\n" },
	{ "V-12",
	  "    env: { A: x }\n"
	  "    secrets: { A: y }\n",
	  "a.yaml:8:5: error: unknown field 'secrets' in pod 'p' [PF0103]\n" },
	{ "V-13",
	  "tunnels:\n"
	  "  a: { pod: p, local: 8188, remote: 1 }\n"
	  "  b: { pod: p, local: 127.0.0.1:8188, remote: 2 }\n"
	  "  c: { pod: p, local: 80, remote: 2 }\n",
	  "a.yaml:9:23: error: tunnels 'a' and 'b' have the same local "
	  "end [PF0132]\n" },
	{ "V-14",
	  "    env: { A: '${}' }\n",
	  "a.yaml:7:16: error: an empty reference: '${}' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: 'x ${unclosed' }\n",
	  "a.yaml:7:18: error: a reference is not closed by `}`: "
	  "'${unclosed' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: '$$' }\n",
	  "" },
	{ "V-14",
	  "    env: { A: 'a$b' }\n",
	  "" },
	{ "V-14",
	  "    env: { A: '${a b}' }\n",
	  "a.yaml:7:16: error: not a reference: '${a b}' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: '${A:-${B}}' }\n",
	  "a.yaml:7:16: error: not a reference: '${A:-${B}' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: '${secret.NOPE}' }\n",
	  "a.yaml:7:16: error: no secret 'NOPE' under 'secrets' [PF0122]\n" },
	{ "V-14",
	  "    env: { A: '${pod.q.id}' }\n",
	  "a.yaml:7:16: error: no pod 'q' in the spec [PF0122]\n" },
	{ "V-14",
	  "    env: { A: '${pod.p2.ssh.hots}' }\n",
	  "a.yaml:7:16: error: a pod has no output 'ssh.hots' [PF0122]\n"
	  "a.yaml:7:16: error: no pod 'p2' in the spec [PF0122]\n" },
	{ "V-14",
	  "    env: { A: '$${HOME}' }\n",
	  "" },
	{ "V-14",
	  "    env: { A: '${env.NOPE} and ${var.NOPE}' }\n",
	  "a.yaml:7:16: error: no environment variable 'NOPE' [PF0122]\n"
	  "a.yaml:7:32: error: no variable 'NOPE' [PF0122]\n" },
	{ "V-14",
	  "    env: { A: '${env.}' }\n",
	  "a.yaml:7:16: error: a name is made of letters, digits and _, "
	  "unlike in '${env.}' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: '${secret.a b}' }\n",
	  "a.yaml:7:16: error: a name is made of letters, digits and _, "
	  "unlike in '${secret.a b}' [PF0121]\n" },
	{ "V-14",
	  "    env: { A: '${pod.p[0].id}' }\n",
	  "a.yaml:7:16: error: there is no pod.p[0]: pod 'p' has 1 "
	  "replica [PF0122]\n"
	  "a.yaml:7:15: error: pods need each other in a ring: p -> p "
	  "[PF0124]\n" },
	{ "V-14",
	  "    args: '${secret.KEY}'\n",
	  "a.yaml:7:12: error: a secret cannot be used here: "
	  "'${secret.KEY}' [PF0123]\n" },
	{ "V-14",
	  "    setup:\n"
	  "      - run: |\n"
	  "          echo $HOME\n"
	  "          echo ${HOME}\n",
	  "a.yaml:10:16: error: not a reference: '${HOME}' [PF0121]\n" },
	{ "V-15",
	  "    lease: 10\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '10' [PF0112]\n" },
	{ "V-15",
	  "    lease: 10 m\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '10 m' [PF0112]\n" },
	{ "V-15",
	  "    lease: 1h30\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '1h30' [PF0112]\n" },
	{ "V-15",
	  "    lease: -5m\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '-5m' [PF0112]\n" },
	{ "V-15",
	  "    lease: 999999999999h\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '999999999999h' [PF0112]\n" },
	{ "V-15",
	  "    lease: 1.5h\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '1.5h' [PF0112]\n" },
	{ "V-15",
	  "    lease: 20s\n",
	  "a.yaml:7:12: error: 'lease' must be a duration from 1m to "
	  "365d, found '20s' [PF0112]\n" },
	{ "ports",
	  "    ports: [8188, 22/udp, 0/tcp, 65536/tcp, 022/tcp, 22/tcp, "
	  "22/tcp]\n",
	  "a.yaml:7:13: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '8188' [PF0112]\n"
	  "a.yaml:7:19: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '22/udp' [PF0112]\n"
	  "a.yaml:7:27: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '0/tcp' [PF0112]\n"
	  "a.yaml:7:34: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '65536/tcp' [PF0112]\n"
	  "a.yaml:7:45: error: an item of 'ports' must be a number from "
	  "1 to 65535 and /tcp or /http, found '022/tcp' [PF0112]\n"
	  "a.yaml:7:62: error: '22/tcp' is in 'ports' already [PF0114]\n" },
	{ "ports2",
	  "    ports: [1/http, 2/http, 3/http, 4/http, 5/http, 6/http, "
	  "7/http, 8/http, 9/http, 10/http, 11/http]\n",
	  "a.yaml:7:12: error: pod 'p' has 11 http ports; RunPod maps at "
	  "most 10 [PF0114]\n" },
	{ "dc",
	  "    data_centers: [EU-SE-1]\n"
	  "    network_volume: { volume: v, path: /w }\n"
	  "volumes: { v: { size: 10GB, data_center: EU-RO-1 } }\n",
	  "a.yaml:7:19: error: pod 'p' cannot be in EU-RO-1, where its "
	  "volume 'v' is [PF0131]\n" },
	{ "dc2",
	  "    data_centers: [EU-SE-1]\n"
	  "    regions: EUROPA\n",
	  "a.yaml:8:14: error: an item of 'regions' must be one of "
	  "NORTH_AMERICA, SOUTH_AMERICA, EUROPE, ASIA, MIDDLE_EAST, "
	  "AFRICA, OCEANIA, ANTARCTICA, found 'EUROPA' [PF0113]\n" },
	{ "dc3",
	  "    data_centers: [EU-SE-1]\n"
	  "    regions: EUROPE\n"
	  "    network_volume: { volume: v, path: w }\n",
	  "a.yaml:9:40: error: 'path' must be an absolute path on the "
	  "pod, found 'w' [PF0112]\n"
	  "a.yaml:8:14: error: pod 'p' has both 'data_centers' and "
	  "'regions' [PF0131]\n"
	  "a.yaml:9:31: error: no volume 'v' under 'volumes' [PF0130]\n" },
	{ "runner",
	  "runners:\n"
	  "  a: { pod: p }\n"
	  "  b: { pod: q, repository: a/b, organization: c }\n"
	  "  c: { pod: 'p[1]', repository: a }\n",
	  "a.yaml:10:33: error: 'repository' must be OWNER/NAME, found "
	  "'a' [PF0112]\n"
	  "a.yaml:8:3: error: runner 'a' needs exactly one of "
	  "'repository' and 'organization' [PF0111]\n"
	  "a.yaml:9:3: error: runner 'b' needs exactly one of "
	  "'repository' and 'organization' [PF0131]\n"
	  "a.yaml:9:13: error: no pod 'q' under 'pods' [PF0130]\n" },
	{ "runner version",
	  "runners:\n"
	  "  a: { pod: p, repository: a/b, version: 2.328.1 }\n"
	  "  b: { pod: p, repository: a/b, version: 2.329.0 }\n"
	  "  c: { pod: p, repository: a/b, version: 3.0.0 }\n",
	  "a.yaml:8:3: error: runner 'a' asks for version 2.328.1, and GitHub "
	  "takes none below 2.329.0 [PF0112]\n" },
	{ "tunnel",
	  "    replicas: 2\n"
	  "tunnels:\n"
	  "  a: { pod: p, local: 1, remote: 1 }\n"
	  "  b: { pod: 'p[2]', local: 2, remote: 1 }\n"
	  "  c: { pod: p[1], local: 3 }\n"
	  "  d: { pod: 'p[1]', local: 3, direction: dynamic, remote: 3 }\n",
	  "a.yaml:11:14: error: a mapping in braces is not closed: "
	  "expected `,` or `}` [PF0101]\n"
	  "a.yaml:9:13: error: pod 'p' has 2 replicas: say which one "
	  "[PF0130]\n"
	  "a.yaml:10:13: error: pod 'p' has 2 replicas; there is no [2] "
	  "[PF0130]\n"
	  "a.yaml:11:3: error: tunnel 'c' has no 'remote' [PF0111]\n"
	  "a.yaml:11:13: error: pod 'p' has 2 replicas: say which one "
	  "[PF0130]\n" },
	{ "tunnel to the first of one",
	  "tunnels:\n"
	  "  a: { pod: 'p[0]', local: 1, remote: 1 }\n",
	  "a.yaml:8:13: error: pod 'p' has 1 replica; there is no [0] "
	  "[PF0130]\n" },
	{ "ssh",
	  "    ports: [80/http]\n"
	  "    ready: { checks: [nvidia-smi] }\n"
	  "tunnels:\n"
	  "  a: { pod: p, local: 1, remote: 1 }\n",
	  "a.yaml:7:12: error: what runs on a pod needs SSH, but "
	  "22/tcp is not among the ports of pod 'p' [PF0133]\n"
	  "a.yaml:10:13: error: a tunnel needs SSH, but 22/tcp is not "
	  "among the ports of pod 'p' [PF0133]\n" },
	{ "setup",
	  "    setup:\n"
	  "      - {}\n"
	  "      - { run: a, copy: { from: ../x, to: y } }\n"
	  "      - run: [a]\n"
	  "      - x\n",
	  "a.yaml:9:33: error: 'from' must be a relative path without "
	  "'..', found '../x' [PF0112]\n"
	  "a.yaml:9:43: error: 'to' must be an absolute path on the pod, "
	  "found 'y' [PF0112]\n"
	  "a.yaml:10:14: error: 'run' must be a text, found a list [PF0110]\n"
	  "a.yaml:11:9: error: a setup step must be a mapping, found a "
	  "single value [PF0110]\n"
	  "a.yaml:8:9: error: a setup step has neither 'run' nor 'copy' "
	  "[PF0131]\n" },
	{ "shape",
	  "    env: [A]\n"
	  "    ready: 10m\n"
	  "    ports: 22/tcp\n"
	  "    disk: [1]\n"
	  "    cloud: secur\n"
	  "    args:\n"
	  "    ssh:\n",
	  "a.yaml:7:10: error: 'env' must be a mapping, found a list "
	  "[PF0110]\n"
	  "a.yaml:8:12: error: 'ready' must be a mapping, found a single "
	  "value [PF0110]\n"
	  "a.yaml:9:12: error: 'ports' must be a list, found a single "
	  "value [PF0110]\n"
	  "a.yaml:10:11: error: 'disk' must be a size from 1GB to "
	  "20000GB, found a list [PF0110]\n"
	  "a.yaml:11:12: error: 'cloud' must be one of any, secure, "
	  "community, found 'secur' [PF0113]\n"
	  "a.yaml:12:10: error: 'args' has no value [PF0111]\n"
	  "a.yaml:13:9: error: 'ssh' has no value; it must be a mapping "
	  "[PF0111]\n" },
	{ "env",
	  "    env: { A: , B: [x], C: ~, D: 5, E: true, F: '' }\n",
	  "a.yaml:7:15: error: the variable 'A' has no value [PF0111]\n"
	  "a.yaml:7:20: error: 'B' must be a single value, found a list "
	  "[PF0110]\n" },
};

static void
test_spec_values_of_a_pod(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(pods); i++) {
		print_message("%s\n", pods[i].name);
		spec_pod_says(pods[i].fields, pods[i].heads);
	}
}

static const struct {
	const char *name, *text, *heads;
} whole[] = {
	{ "V-01d",
	  "project: t\n"
	  "volumes: { v: { size: 10GB, data_center: NO } }\n",
	  "" },
	{ "V-10",
	  "project: t\n"
	  "pods:\n"
	  "  p:\n"
	  "    imgae: a\n"
	  "    gpu: A40\n",
	  "a.yaml:4:5: error: unknown field 'imgae' in pod 'p' [PF0103]\n" },
	{ "V-10b",
	  "project: t\n"
	  "image: a\n"
	  "pods: {}\n",
	  "a.yaml:2:1: error: unknown field 'image' in a spec file [PF0103]\n" },
	{ "V-11",
	  "project: t\n"
	  "pods:\n"
	  "  a: { image: a, gpu: A40, env: { X: '${pod.b.ssh.host}' } }\n"
	  "  b: { image: a, gpu: A40, env: { X: '${pod.c.ssh.host}' } }\n"
	  "  c: { image: a, gpu: A40, env: { X: '${pod.a.ssh.host}' } }\n",
	  "a.yaml:5:38: error: pods need each other in a ring: a -> b -> "
	  "c -> a [PF0124]\n" },
	{ "vol",
	  "project: t\n"
	  "volumes:\n"
	  "  a: { size: 9GB, data_center: X }\n"
	  "  b: { size: 4097GB, data_center: X }\n"
	  "  c: { data_center: X }\n"
	  "  d: 5\n"
	  "  e:\n",
	  "a.yaml:3:14: error: 'size' must be a size from 10GB to "
	  "4096GB, found '9GB' [PF0112]\n"
	  "a.yaml:4:14: error: 'size' must be a size from 10GB to "
	  "4096GB, found '4097GB' [PF0112]\n"
	  "a.yaml:5:3: error: volume 'c' has no 'size' [PF0111]\n"
	  "a.yaml:6:6: error: volume 'd' must be a mapping, found a "
	  "single value [PF0110]\n"
	  "a.yaml:7:5: error: volume 'e' has no value; it must be a "
	  "mapping [PF0111]\n" },
	{ "secrets",
	  "project: t\n"
	  "secrets:\n"
	  "  A: { env: X, file: y }\n"
	  "  B: {}\n"
	  "  C: { command: [] }\n"
	  "  D-E: { env: X }\n"
	  "  F: { env: '${env.X}' }\n",
	  "a.yaml:3:3: error: secret 'A' needs exactly one of 'env', "
	  "'file' and 'command' [PF0131]\n"
	  "a.yaml:4:3: error: secret 'B' needs exactly one of 'env', "
	  "'file' and 'command' [PF0111]\n"
	  "a.yaml:5:17: error: 'command' needs at least one item [PF0114]\n"
	  "a.yaml:6:3: error: a name under 'secrets' must be letters, "
	  "digits and '_', and not begin with a digit, and have at most "
	  "60 letters; found 'D-E' [PF0115]\n"
	  "a.yaml:7:13: error: 'env' cannot hold references [PF0123]\n" },
	{ "budget",
	  "project: t\n"
	  "settings: { budget: { per_hour: -1 }, parallelism: 0, "
	  "max_destroy: x }\n",
	  "a.yaml:2:33: error: 'per_hour' must be a price in US dollars, "
	  "more than 0 and at most $1000000.00, found '-1' [PF0112]\n"
	  "a.yaml:2:52: error: 'parallelism' must be a whole number from "
	  "1 to 1000, found '0' [PF0112]\n"
	  "a.yaml:2:68: error: 'max_destroy' must be a whole number from "
	  "0 to 10000, found 'x' [PF0112]\n" },
	{ "budget2",
	  "project: T_\n"
	  "settings: { budget: 2 }\n",
	  "a.yaml:1:10: error: 'project' must be lower-case letters, "
	  "digits and '-', and not begin with '-', found 'T_' [PF0112]\n"
	  "a.yaml:2:21: error: 'budget' must be a mapping, found a "
	  "single value [PF0110]\n" },
	{ "noproj",
	  "pods: {}\n",
	  "a.yaml:1:1: error: the spec has no 'project' [PF0111]\n" },
	{ "defaults",
	  "project: t\n"
	  "defaults: { pod: { gpu: A40, network_volume: { path: /w }, "
	  "ready: {timeout: 1s} } }\n"
	  "pods: { a: { image: b } }\n",
	  "a.yaml:2:77: error: 'timeout' must be a duration from 10s to "
	  "1d, found '1s' [PF0112]\n"
	  "a.yaml:2:46: error: 'network_volume' of pod 'a' has no "
	  "'volume' [PF0111]\n" },
};

static void
test_spec_values_of_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(whole); i++) {
		print_message("%s\n", whole[i].name);
		spec_says(str_from(whole[i].text), whole[i].heads);
	}
}

/* A field of a pod whose value is n letters. */
static void
says_long(const char *field, size_t n, const char *end, const char *heads)
{
	struct strbuf text = {0};

	strbuf_addf(&text, "    %s", field);
	strbuf_pad(&text, n, 'n');
	strbuf_addf(&text, "%s\n", end);
	spec_pod_says(text.data, heads);
	strbuf_release(&text);
}

static void
test_spec_values_that_are_too_long(void **state)
{
	(void)state;
	says_long("name: ", 60, "", "");
	says_long("name: ", 5000, "", "a.yaml:7:11: error: 'name' is 5000 "
	    "letters long; at most 60 are possible [PF0112]\n");
	says_long("env: { ", 70, ": x }", "");
	says_long("network_volume: { volume: ", 61, ", path: /w }",
	    "a.yaml:7:31: error: 'volume' is 61 letters long; at most 60 are "
	    "possible [PF0112]\n");
}

static void
test_spec_values_env_has_at_most_50(void **state)
{
	struct strbuf text = {0};

	(void)state;
	strbuf_adds(&text, "    env:\n");
	for (int i = 0; i < 50; i++)
		strbuf_addf(&text, "      A%d: x\n", i);
	spec_pod_says(text.data, "");
	strbuf_adds(&text, "      B1: x\n      B2: x\n");
	spec_pod_says(text.data, "a.yaml:58:7: error: 'env' has more than 50 "
	    "entries [PF0114]\n");
	strbuf_release(&text);
}

static void
test_spec_values_stop_after_a_hundred_errors(void **state)
{
	struct strbuf text = {0};
	struct spec_world world;

	(void)state;
	strbuf_adds(&text, "project: t\n");
	for (int i = 0; i < 5000; i++)
		strbuf_addf(&text, "x%d: 1\n", i);
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", strbuf_str(&text));
	assert_null(spec_world_load(&world));
	assert_int_equal(world.diags.errors, 101);
	const struct diag *last = world.diags.list.items[100];
	assert_true(str_is(last->message,
	    "too many errors; the rest was not read"));
	spec_world_release(&world);
	strbuf_release(&text);
}

/* One message as people see it, with excerpt, caret and hints. */
static void
test_spec_values_are_shown_in_their_own_text(void **state)
{
	struct spec_world world;

	(void)state;
	spec_world_init(&world);
	spec_world_put(&world, "a.yaml", STR("project: t\npods:\n"
	    "  trainer:\n    image: a:1\n    gpus: A40\n"));
	assert_null(spec_world_load(&world));
	assert_string_equal(spec_world_text(&world),
	    "/p/specs/a.yaml:5:5: error: unknown field 'gpus' in pod "
	    "'trainer' [PF0103]\n"
	    "    5 |     gpus: A40\n"
	    "      |     ^~~~\n"
	    "   hint: did you mean 'gpu'?\n");
	spec_world_release(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_values_of_a_pod),
		cmocka_unit_test(test_spec_values_of_a_file),
		cmocka_unit_test(test_spec_values_that_are_too_long),
		cmocka_unit_test(test_spec_values_env_has_at_most_50),
		cmocka_unit_test(test_spec_values_stop_after_a_hundred_errors),
		cmocka_unit_test(test_spec_values_are_shown_in_their_own_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
