#include "wire_internal.h"

#include "gen_internal.h"

void wire_segment(struct wire *wire, const char *name)
{
    buf_put_str(wire->out, str_from(name));
    wire->field = 0;
}

void wire_at(struct wire *wire, unsigned field)
{
    for (; wire->field < field; wire->field++)
        buf_put_byte(wire->out, (uint8_t)wire->delimiters.field);
}

void wire_next(struct wire *wire, unsigned components)
{
    for (unsigned i = 0; i < components; i++)
        buf_put_byte(wire->out, (uint8_t)wire->delimiters.component);
}

void wire_repeat(struct wire *wire)
{
    buf_put_byte(wire->out, (uint8_t)wire->delimiters.repetition);
}

/* The letter that stands for a delimiter inside an escape, or 0. */
static char escape_letter(const struct wire_delimiters *d, char byte)
{
    return byte == d->field                         ? 'F'
           : byte == d->component                   ? 'S'
           : byte == d->repetition                  ? 'R'
           : byte == d->escape                      ? 'E'
           : byte == d->subcomponent                ? 'T'
           : d->truncation && byte == d->truncation ? 'P'
                                                    : '\0';
}

void wire_text(struct wire *wire, const char *utf8)
{
    for (const char *at = utf8; *at; at++) {
        char letter = escape_letter(&wire->delimiters, *at);
        if (letter) {
            buf_printf(wire->out, "%c%c%c", wire->delimiters.escape, letter, wire->delimiters.escape);
        } else if (wire->latin1 && ((uint8_t)*at & 0xFE) == 0xC2) {
            gen_put_latin1(wire->out, (struct str){at, 2});
            at++;
        } else {
            buf_put_byte(wire->out, (uint8_t)*at);
        }
    }
}

void wire_raw(struct wire *wire, const char *bytes)
{
    buf_put_str(wire->out, str_from(bytes));
}

void wire_end(struct wire *wire)
{
    buf_put_byte(wire->out, '\r');
}

void wire_coded(struct wire *wire, unsigned field, const char *code, const char *text, const char *system)
{
    wire_at(wire, field);
    wire_text(wire, code);
    wire_next(wire, 1);
    wire_text(wire, text);
    if (*system) {
        wire_next(wire, 1);
        wire_text(wire, system);
    }
}
