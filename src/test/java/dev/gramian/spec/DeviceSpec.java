package dev.gramian.spec;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs once on every device there is, given as its {@link dev.gramian.Device} parameter, and must leave
 * nothing live. On a device that is not available it is skipped with the reason, or fails where
 * {@code -Dgramian.require=cuda} (or {@code cpu:native}, ...) names it.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(OnEveryDevice.class)
public @interface DeviceSpec {
}
