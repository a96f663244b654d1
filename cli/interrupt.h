/* Ctrl-C and its like, while a file is being made that appears whole or not at all: noticed between
 * two reads, so that the unfinished file is taken away before the tool ends.
 */
#ifndef FLS_CLI_INTERRUPT_H
#define FLS_CLI_INTERRUPT_H

/* From now on SIGINT, SIGTERM and SIGHUP are only noted. Harmless when repeated. */
void cli_interrupt_catch(void);

/* The signal that came, or 0; CLI_INTERRUPT_ASKED when the tool itself asked for the end. */
#define CLI_INTERRUPT_ASKED (-1)
int cli_interrupt_pending(void);

/* Ends what waits and reads as a signal would, once signals are caught. */
void cli_interrupt_ask(void);

/* Waits until fd has something to read (or its end), timeout_ms at most (-1: for ever). While
 * signals are not caught and there is no timeout it does nothing. */
enum { CLI_INTERRUPT_READY = 0, CLI_INTERRUPT_SIGNAL = 1, CLI_INTERRUPT_NOTHING = 2 };
int cli_interrupt_wait(int fd, int timeout_ms);

/* Whether standard output is a pipe or socket whose reader has gone: there is no point in waiting
 * for more to write. */
int cli_interrupt_unread(void);

/* Waits that long, or until a signal comes: CLI_INTERRUPT_SIGNAL or CLI_INTERRUPT_NOTHING. */
int cli_interrupt_pause(int timeout_ms);

/* Becomes readable when a signal came, for loops that poll; -1 while signals are not caught. */
int cli_interrupt_fd(void);

/* The signal that came was what ends the work well: the process does not end by it. */
void cli_interrupt_forget(void);

/* Ends the process by the signal that came, as if it had never been caught. */
void cli_interrupt_raise(void);

#endif
