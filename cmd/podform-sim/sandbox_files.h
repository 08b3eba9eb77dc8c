/*
 * sandbox_files.h - the texts that are put into every sandbox.
 */
#ifndef SIM_SANDBOX_FILES_H
#define SIM_SANDBOX_FILES_H

/* /start.sh, PID 1.  Reads its work from the environment and from
 * /etc/pod/ (see sandbox.c). */
extern const char sandbox_start_script[];

/* /etc/ssh/sshd_config but for the port. */
extern const char sandbox_sshd_config[];

/* A stand-in; reads /etc/pod/gpu: three lines with name, count and memory in
 * GB, and a fourth that makes the UUIDs. */
extern const char sandbox_nvidia_smi[];

extern const char sandbox_nsswitch[];
extern const char sandbox_bashrc[];

#endif
