/* A locale that writes 1,5 for one and a half: text must not change with it. */
#ifndef TESTS_SUPPORT_COMMA_LOCALE_H
#define TESTS_SUPPORT_COMMA_LOCALE_H

/* Goes into such a locale, made with localedef where the system has none. 0 when there is no way to
 * have one. */
int comma_locale_enter(void);

/* Back to "C", without what was made. */
void comma_locale_leave(void);

#endif
