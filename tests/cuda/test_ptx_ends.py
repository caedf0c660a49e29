"""The gate of `make cuda` for code that nvcc took for unreachable."""

import shutil
import subprocess

import pytest

from programs import ROOT, tool
from ptx_ends import lost_ends

PTX = """\
.visible .entry _Z4workPi(
	.param .u64 _Z4workPi_param_0
)
.maxntid 256, 1, 1
{{
	.reg .pred 	%p<3>;

	ld.param.u64 	%rd1, [_Z4workPi_param_0];
	@%p1 bra 	$L__BB0_2;  // bra $L__BB0_3;
	@%p2 bra 	$L__BB0_3;
$L__BB0_2:
	ret;
$L__BB0_3:{behind}
}}

.func  (.param .b32 func_retval0) _Z6calledv()
{{
	@%p1 bra 	$L__BB1_2;
$L__BB1_2:
	ret;
}}
"""

TILES, PLAN = "csrc/cuda/products/tiles.h", "csrc/cuda/wavenet/pipeline/plan.cu"


def ptx(csrc):
    """What nvcc makes of the pipeline for one architecture, optimized as in a wheel."""
    how = ["-std=c++17", "-O3", "-DNDEBUG", "-fmad=false", "--expt-relaxed-constexpr", "-arch=sm_90", "-ptx"]
    command = [tool("nvcc"), *how, f"-I{csrc}", str(csrc.parent / PLAN), "-o", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_label_at_the_end_is_refused():
    assert lost_ends(PTX.format(behind="")) == [
        "1 branches lead to $L__BB0_3, behind the last instruction of _Z4workPi"
    ]
    assert lost_ends(PTX.format(behind=" // nothing")) == lost_ends(PTX.format(behind=""))
    assert lost_ends(PTX.format(behind="\n\t.loc 1 2 3")) == lost_ends(PTX.format(behind=""))


def test_what_ends_with_an_instruction_passes():
    assert lost_ends(PTX.format(behind="\n\tret;")) == []
    assert lost_ends(PTX.format(behind="\n\ttrap;")) == []


def test_a_label_to_which_nothing_leads_passes():
    assert lost_ends(".func _Z4idlev()\n{\n\tret;\n$L__BB0_1:\n}\n") == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_pipeline_ends_where_its_code_does_and_a_promise_cuts_it_short(tmp_path):
    """nvcc 13.0 takes what follows a promise of shared memory for unreachable; other versions may know better."""
    if "release 13.0" not in subprocess.run([tool("nvcc"), "--version"], capture_output=True, text=True).stdout:
        pytest.skip("only nvcc 13.0 is known for it")
    assert lost_ends(ptx(ROOT / "csrc")) == []
    shutil.copytree(ROOT / "csrc", tmp_path / "csrc")
    tiles = (tmp_path / TILES).read_text()
    begin, end = tiles.index("  static_assert(sizeof(Piece)"), tiles.index("#else\n  return static_cast<const Piece*>")
    promise = "  __builtin_assume(__isShared(pieces));\n  return static_cast<const Piece*>(pieces)[index];\n"
    (tmp_path / TILES).write_text(tiles[:begin] + promise + tiles[end:])
    assert lost_ends(ptx(tmp_path / "csrc"))
