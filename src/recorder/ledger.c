/* Which of a producer's messages are durable: what was drained is noted with the ordinals that it
 * got, and compared with how far the journal is durable. When the list is full its last entry moves
 * on, which says less, never more. */
#include "recorder/recorder_private.h"

static void settle(flsi_ledger *ledger, uint64_t durable_ordinal)
{
    while (ledger->count > 0 && ledger->entries[ledger->first].ordinal <= durable_ordinal) {
        ledger->durable = ledger->entries[ledger->first].count;
        ledger->first = (ledger->first + 1) % FLSI_LEDGER_ENTRIES;
        ledger->count--;
    }
}

void flsi_ledger_note(fls_recorder *recorder, flsi_ledger *ledger, uint64_t ordinal, uint64_t count)
{
    uint64_t durable_ordinal = recorder->journal.durable(recorder->journal.self);
    flsi_mutex_lock(&recorder->ledger_lock);
    settle(ledger, durable_ordinal);
    ledger->noted += count;
    if (ledger->count < FLSI_LEDGER_ENTRIES) {
        ledger->count++;
    }
    size_t last = (ledger->first + ledger->count - 1) % FLSI_LEDGER_ENTRIES;
    ledger->entries[last].ordinal = ordinal;
    ledger->entries[last].count = ledger->noted;
    flsi_mutex_unlock(&recorder->ledger_lock);
}

uint64_t flsi_ledger_durable(fls_recorder *recorder, flsi_ledger *ledger)
{
    uint64_t durable_ordinal = recorder->journal.durable(recorder->journal.self);
    flsi_mutex_lock(&recorder->ledger_lock);
    settle(ledger, durable_ordinal);
    uint64_t durable = ledger->durable;
    flsi_mutex_unlock(&recorder->ledger_lock);
    return durable;
}
