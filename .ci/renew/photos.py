"""The masks of the photographs among the examples: `python .ci/renew photos`.

Each is an outline drawn by hand, of which GrabCut (Rother et al., 2004) settles the last few
pixels. No model has a say.
"""

from pathlib import Path

import cv2
import numpy as np

from tta_demo.pictures.palettes import SUBJECT, index_png

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
BAND = 3
"""So many pixels on either side of an outline are left to GrabCut."""

OUTLINES = {
    "astronaut": """
        235,16 215,18 200,27 188,36 170,42 158,55 153,72 154,90 160,105 168,115 171,122 175,130
        181,132 183,149 160,149 143,155 130,165 124,178 120,186 114,188 113,196 116,203 110,207
        100,215 85,228 75,235 65,245 55,262 47,277 41,290 40,300 35,312 33,320 28,332 26,345
        25,375 21,390 20,400 22,420 25,440 24,460 26,475 29,490 35,503 41,512 512,512 512,486
        507,480 505,470 503,455 497,453 495,440 493,420 489,405 484,392 478,382 470,372 460,363
        450,356 438,350 425,345 412,343 398,343 385,345 372,348 366,349 362,335 360,325 357,305
        354,290 350,282 346,270 337,257 325,246 312,238 304,235 303,222 297,208 288,196 275,184
        262,177 256,174 260,162 264,150 267,137 274,135 276,128 281,126 288,120 295,110 300,95
        301,80 299,60 293,42 280,28 262,19
    """,
    "chelsea": """
        40,0 34,25 31,50 29,80 30,100 22,112 10,120 0,126 0,300 385,300 383,275 378,258 368,245
        355,228 340,215 329,206 333,200 342,190 350,178 357,165 359,150 361,135 361,120 360,108
        357,95 354,82 355,72 362,60 372,48 376,35 380,22 390,12 397,0
    """,
    "coffee": """
        153,61 135,68 115,80 97,98 82,120 72,142 67,165 66,185 69,205 76,225 88,250 103,272
        120,290 145,308 175,321 205,328 235,331 265,331 295,326 320,318 345,305 365,290 382,272
        395,252 403,232 408,210 409,190 406,170 400,150 390,128 378,110 365,97 355,90 360,67
        358,62 352,58 345,57 339,59 337,61 333,52 325,42 310,30 290,21 268,16 245,15 222,16
        200,22 180,31 165,42 157,52
    """,
    "rocket": """
        256,101 253,103 250,109 249,118 247,126 247,145 246,147 246,216 247,220 247,326 266,326
        267,220 267,150 266,145 265,140 265,118 263,109 260,103
    """,
}
"""Corners x,y of each subject, pixels from the top left."""


def mask_of(photo: np.ndarray, outline: str) -> np.ndarray:
    """Labels `(H, W)` uint8: 1 on the subject."""
    corners = [tuple(map(int, corner.split(","))) for corner in outline.split()]
    drawn = cv2.fillPoly(np.zeros(photo.shape[:2], np.uint8), [np.array(corners)], 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    inside, outside = cv2.erode(drawn, brush), cv2.dilate(drawn, brush)
    state = np.where(drawn, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[inside == 1], state[outside == 0] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(0)
    background, subject = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(photo, state, None, background, subject, 3, cv2.GC_INIT_WITH_MASK)
    found = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    smooth = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return cv2.morphologyEx(
        cv2.morphologyEx(found, cv2.MORPH_OPEN, smooth), cv2.MORPH_CLOSE, smooth
    )


def renew_photos() -> None:
    """Writes the masks."""
    for name, outline in OUTLINES.items():
        photo = cv2.imread(str(EXAMPLES / f"{name}.jpg"))
        mask = index_png(mask_of(photo, outline), SUBJECT)
        (EXAMPLES / f"{name}-mask.png").write_bytes(mask)
