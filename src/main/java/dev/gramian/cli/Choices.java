package dev.gramian.cli;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The values of an enum as an option takes them: in small letters. */
abstract class Choices<E extends Enum<E>> implements Iterable<String>, ITypeConverter<E> {
    private final E[] values;

    Choices(E[] values) {
        this.values = values;
    }

    static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private List<String> names() {
        return Arrays.stream(values).map(Choices::name).toList();
    }

    @Override
    public Iterator<String> iterator() {
        return names().iterator();
    }

    @Override
    public E convert(String text) {
        int at = names().indexOf(text.toLowerCase(Locale.ROOT));
        if (at < 0) {
            throw new TypeConversionException("expected one of " + names() + " but was '" + text + "'");
        }
        return values[at];
    }
}
