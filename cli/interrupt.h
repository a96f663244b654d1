/* Ctrl-C and its like, while a file is being made that appears whole or not at all: noticed between
 * two reads, so that the unfinished file is taken away before the tool ends.
 */
#ifndef FLS_CLI_INTERRUPT_H
#define FLS_CLI_INTERRUPT_H

/* From now on SIGINT, SIGTERM and SIGHUP are only noted. Harmless when repeated. */
void cli_interrupt_catch(void);

/* The signal that came, or 0. */
int cli_interrupt_pending(void);

/* Waits until fd has something to read (or its end). Not 0: a signal came first. Does nothing while
 * signals are not caught. */
int cli_interrupt_wait(int fd);

/* Ends the process by the signal that came, as if it had never been caught. */
void cli_interrupt_raise(void);

#endif
