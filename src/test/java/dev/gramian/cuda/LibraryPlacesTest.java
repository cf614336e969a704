package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.cuda.LibraryPlaces.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LibraryPlacesTest {
    @TempDir
    Path root;

    private Path make(String directory) throws Exception {
        return Files.createDirectories(root.resolve(directory));
    }

    private List<String> of(Map<String, String> environment) {
        return LibraryPlaces.of(root, environment::get, root.resolve("home/u"), root.resolve("app/cuda-libraries"))
                .stream().map(p -> root.relativize(p.directory()) + " " + p.origin().replace(root + "/", "")).toList();
    }

    @Test
    void anEmptyMachineHasNoPlaces() {
        assertEquals(List.of(), of(Map.of()));
    }

    @Test
    void everyPlaceInOrder() throws Exception {
        for (String d : List.of("ld1", "ld2", "home12/lib64", "path12/targets/x86_64-linux/lib", "app/cuda-libraries",
                "opt/conf/lib", "usr/lib/x86_64-linux-gnu", "usr/local/cuda-12.9/lib64", "usr/local/cuda-12.10/lib64",
                "usr/local/cuda-13.0/targets/x86_64-linux/lib", "opt/cuda/lib64",
                "venv/lib/python3.12/site-packages/nvidia/cublas/lib",
                "venv/lib/python3.12/site-packages/nvidia/cusolver/lib",
                "home/u/.local/lib/python3.11/site-packages/nvidia/cu13/lib",
                "usr/local/lib/python3.10/dist-packages/nvidia/cuda_nvrtc/lib",
                "conda/lib", "conda/lib/python3.13/site-packages/nvidia/cu13/lib", "etc/ld.so.conf.d")) {
            make(d);
        }
        Files.writeString(root.resolve("etc/ld.so.conf"), "# comment\ninclude ld.so.conf.d/*.conf\n");
        Files.writeString(root.resolve("etc/ld.so.conf.d/cuda.conf"),
                "/opt/conf/lib # ours\n/not/there\nhwcap 1 nosegneg\n");
        Files.writeString(root.resolve("etc/ld.so.conf.d/loop.conf"), "include /etc/ld.so.conf\n");
        assertEquals(List.of(
                "ld2 LD_LIBRARY_PATH",
                "ld1 LD_LIBRARY_PATH",
                "home12/lib64 CUDA_HOME",
                "path12/targets/x86_64-linux/lib CUDA_PATH",
                "app/cuda-libraries beside gramian's own code",
                "opt/conf/lib the system's loader",
                "usr/lib/x86_64-linux-gnu the system's loader",
                "usr/lib the system's loader",
                "usr/local/cuda-13.0/targets/x86_64-linux/lib usr/local/cuda-13.0",
                "usr/local/cuda-12.10/lib64 usr/local/cuda-12.10",
                "usr/local/cuda-12.9/lib64 usr/local/cuda-12.9",
                "opt/cuda/lib64 opt/cuda",
                "venv/lib/python3.12/site-packages/nvidia/cusolver/lib Python packages",
                "venv/lib/python3.12/site-packages/nvidia/cublas/lib Python packages",
                "home/u/.local/lib/python3.11/site-packages/nvidia/cu13/lib Python packages",
                "conda/lib/python3.13/site-packages/nvidia/cu13/lib Python packages",
                "usr/local/lib/python3.10/dist-packages/nvidia/cuda_nvrtc/lib Python packages",
                "conda/lib CONDA_PREFIX"),
                of(Map.of("LD_LIBRARY_PATH", root + "/ld2::" + root + "/ld1:/not/there:" + root + "/ld2/",
                        "CUDA_HOME", root + "/home12", "CUDA_PATH", root + "/path12",
                        "VIRTUAL_ENV", root + "/venv", "CONDA_PREFIX", root + "/conda")));
    }

    /** The toolkit that the link names comes before newer ones. */
    @Test
    void theSystemsOwnChoiceOfToolkitComesFirst() throws Exception {
        make("usr/local/cuda-12.6/lib64");
        make("usr/local/cuda-13.0/lib64");
        Files.createSymbolicLink(root.resolve("usr/local/cuda"), root.resolve("usr/local/cuda-12.6"));
        assertEquals(List.of("usr/local/cuda/lib64 usr/local/cuda", "usr/local/cuda-13.0/lib64 usr/local/cuda-13.0"),
                of(Map.of()));
    }

    /** An image puts an environment on the path without activating it. */
    @Test
    void thePythonOfThePathCounts() throws Exception {
        Path python = make("opt/venv/bin").resolve("python3");
        Files.createFile(python);
        python.toFile().setExecutable(true);
        make("opt/venv/lib/python3.12/site-packages/nvidia/cu13/lib");
        assertEquals(List.of("opt/venv/lib/python3.12/site-packages/nvidia/cu13/lib Python packages"),
                of(Map.of("PATH", "relative/bin:" + root + "/opt/venv/bin:/usr/bin")));
    }

    @Test
    void namedDirectoriesAreTheOnlyOnes() throws Exception {
        Path a = make("a");
        Path b = make("b");
        List<Place> places = LibraryPlaces.named(b + ": :" + a + ":" + root + "/missing:" + b, "the property");
        assertEquals(List.of(new Place(b, "the property"), new Place(a, "the property")), places);
        assertEquals(List.of(), LibraryPlaces.named(root + "/missing", "x"));
        assertEquals(List.of(), LibraryPlaces.named("\0", "x"));
    }
}
