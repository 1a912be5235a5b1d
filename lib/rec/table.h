/* The rows of a record family's tables. Define OF as the struct's tag around each table. */
#ifndef SDW_REC_TABLE_H
#define SDW_REC_TABLE_H

#include "rec/rec.h"

/* The end of a row: the key in front of its value. Keys need no quoting. */
#define LEAD(member) ",\"" #member "\":", sizeof(",\"" #member "\":") - 1

/* A member whose key is its name; with a range of allowed numbers; with a set of strings. */
#define F(kind, member, flags, unit, help)                                                         \
    {                                                                                              \
#member, kind, offsetof(struct OF, member), flags, 0, 0, NULL, unit, help, LEAD(member)    \
    }
#define FN(kind, member, flags, lo, hi, unit, help)                                                \
    {                                                                                              \
#member, kind, offsetof(struct OF, member), flags, lo, hi, NULL, unit, help, LEAD(member)  \
    }
#define FV(member, flags, values, help)                                                            \
    {                                                                                              \
#member, SDW_STR, offsetof(struct OF, member), flags, 0, 0, values, NULL, help,            \
            LEAD(member)                                                                           \
    }

#endif
