"""Texts as they are pasted from models and their interfaces, by the kind of mark that they bear."""

MARKED = {
    "interface": (
        "The boiler has two valves, one for each loop. :contentReference[oaicite:0]{index=0}",
        "Prices were changed in June ([docs.example.org](https://docs.example.org/billing?utm_source=chatgpt.com)).",
        "It was founded in 1912. citeturn0search3turn0search7",
        "The treaty was signed in Ghent【4:2†source】 and ratified a year later.",
        "See the project page. [oai_citation:2‡Example](https://example.org/a)",
        "[cite_start]The survey covered 40 farms.[cite: 1]",
        "As the minutes show [attached_file:1], nobody voted against it.",
        "Read on at https://example.org/post?id=4&utm_source=openai for the numbers.",
        'Rates rose again <grok:render type="render_inline_citation">in spring.',
        "The lake is 40 m deep turn0view1 and cold.",
    ),
    "self": (
        "As an AI language model, I do not have personal opinions, but many readers prefer the second edition.",
        "As a large language model trained by a team of engineers, I can give an overview of the harvest.",
        "Unfortunately, as an AI assistant I can't taste the soup. It is said to be salty.",
        "I'm just an AI, so take this with a grain of salt: the bridge opened in 1931.",
        "As of my last update, the museum was closed on Mondays.",
        "I don't have access to real-time data; on most days the ferry leaves at nine.",
        "My knowledge cutoff is in autumn, so later matches are missing from this list.",
        "While I don’t have personal experiences, many hikers call this path the finest of the valley.",
        "I am a large language model and cannot smell; roses are described as sweet.",
        "As an artificial intelligence, I've read many such letters. Yours is clear.",
    ),
    "opening": (
        "Certainly! Here's a short account of the siege.\n\nThe walls fell in May.",
        "Sure! Here are three ways to say it.\n1. Well met.",
        "Absolutely! Let's look at the figures one by one.",
        "Of course! I'd be happy to explain how the loom works.",
        "Here's a revised version of the paragraph:\n\nThe sea was calm.",
        "Great question! Let me explain: bread rises because of yeast.",
        "Certainly! Below is the letter.\n\nDear Sir, the goods have come.",
        "Sure thing! I'll keep it short. The fox ran.",
        "Here is the polished text:\n\nThe council met at noon.",
        "Absolutely! I can walk you through the recipe.",
    ),
    "vocabulary": (
        (
            "The old town is a vibrant tapestry of cultures. Its meticulous restoration underscores a commitment to "
            "heritage, showcasing intricate carvings and fostering a pivotal dialogue between past and present."
        ),
        (
            "In today's fast-paced world, leveraging a holistic approach is crucial. This comprehensive guide delves "
            "into robust habits that elevate your mornings."
        ),
        (
            "Navigating the complexities of trade requires a nuanced view. It is important to note that groundbreaking "
            "tools, harnessing data, play a transformative part and unveil invaluable insights."
        ),
        (
            "The garden stands as a testament to unwavering care: a treasure trove of meticulous design that resonates "
            "with every visitor, fostering calm in a realm of its own."
        ),
        (
            "Her work delves into multifaceted themes, showcasing a seamless blend of styles. In conclusion, it "
            "plays a pivotal role and bolsters a commendable tradition."
        ),
    ),
    "control token": (
        "The tide was out.<|im_end|>",
        "<|im_start|>assistant\nThe tide was out.",
        "[INST] Tell me of the tide. [/INST] It was out.",
        "<think>The user wants a tide.</think>The tide was out.",
        "### Response: The tide was out.",
    ),
}

HUMAN = (
    'The machine answered: "As an AI language model, I have no opinion." He switched it off.',
    "> As an AI, I can't say.\n\nThat is what it told me, and I laughed.",
    "As an AI researcher I have seen three winters of this field.",
    "Here is the version that the printer sent back, with the errors of the first.",
    "Of course! How could I forget. The keys hung by the door.",
    "Sure, here is the patch; it needs one more test.",
    "Hope this helps! Let me know if you have any questions.",
    "It is a crucial and comprehensive reform, and a robust one; its critics have delved no deeper than the title.",
    "The court cited [1] and [2]; the parties cite neither.",
    "See https://example.org/?utm_source=newsletter for the rest.",
    "I do not have access to the archive on Sundays.",
    "My last letter did not reach you.",
)
