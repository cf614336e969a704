package dev.gramian.core;

/** What a kernel sees of a tensor: bytes, where the elements lie in them, and their type. */
public record View(Storage storage, Layout layout, DType dtype) {

    /** Throws {@link ShapeException} if any element would lie outside the storage: the one bounds check there is. */
    public View {
        long width = dtype.bytes();
        if (layout.first() < 0 || layout.end() > storage.bytes() / width) {
            throw new ShapeException("view: layout leaves its storage; " + layout + " of " + dtype + ", storage "
                    + storage.bytes() + " bytes; check offset and strides");
        }
    }

    public Shape shape() {
        return layout.shape();
    }

    public Spec spec() {
        return new Spec(layout.shape(), dtype);
    }
}
